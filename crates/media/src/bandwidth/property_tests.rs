//! Whatever feedback says, and whenever: no panic, a rate within its bounds, and probes that come to an end.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{BandwidthConfig, BandwidthEstimator};
use crate::testing::origin;

#[derive(Debug, Clone)]
struct Step {
    wait: u16,
    sent: u8,
    size: u16,
    /// From so many packets ago on.
    behind: u16,
    reference: u32,
    deltas: Vec<Option<i16>>,
    lost: Option<u8>,
    remb: Option<u64>,
    most: Option<u64>,
}

fn step() -> impl Strategy<Value = Step> {
    let behind = prop_oneof![4 => 0_u16..40, 1 => any::<u16>()];
    let reference = prop_oneof![2 => 0_u32..4, 1 => any::<u32>()];
    let delta = prop::option::weighted(0.8, prop_oneof![4 => 0_i16..200, 1 => any::<i16>()]);
    let told = (
        prop::option::weighted(0.1, any::<u8>()),
        prop::option::weighted(0.05, any::<u64>()),
        prop::option::weighted(0.05, any::<u64>()),
    );
    (0_u16..3_000, 0_u8..30, any::<u16>(), behind, reference, vec(delta, 0..40), told).prop_map(
        |(wait, sent, size, behind, reference, deltas, (lost, remb, most))| Step {
            wait,
            sent,
            size,
            behind,
            reference,
            deltas,
            lost,
            remb,
            most,
        },
    )
}

proptest! {
    #[test]
    fn any_feedback_leaves_a_rate_within_its_bounds(
        start in any::<u32>(), least in 1_u64..10_000_000, most in any::<u32>(), steps in vec(step(), 1..60),
    ) {
        let config = BandwidthConfig { start: start.into(), least, most: most.into() };
        let mut estimator = BandwidthEstimator::new(config);
        let (mut now, mut sequence, mut most) = (origin(), 0_u16, u64::from(most).max(least));
        let mut last_probe = None;
        for step in steps {
            for _ in 0..step.sent {
                estimator.on_sent(now, sequence, step.size.into(), last_probe);
                sequence = sequence.wrapping_add(1);
            }
            now += Duration::from_millis(step.wait.into());
            estimator.on_feedback(now, step.reference, sequence.wrapping_sub(step.behind), &step.deltas);
            if let Some(lost) = step.lost {
                estimator.on_report(now, f64::from(lost) / 255.0);
            }
            if let Some(rate) = step.remb {
                estimator.set_remb(rate);
            }
            if let Some(rate) = step.most {
                most = (rate % 1_000_000_000).max(least);
                estimator.set_most(rate % 1_000_000_000);
            }
            estimator.handle_timeout(now);
            last_probe = None;
            for count in 0.. {
                prop_assert!(count < 100, "probes without end");
                let Some(probe) = estimator.poll_probe(now) else { break };
                last_probe = Some(probe.id);
            }
            let target = estimator.target();
            prop_assert!((least..=most).contains(&target), "{target} is not from {least} to {most}");
        }
    }
}
