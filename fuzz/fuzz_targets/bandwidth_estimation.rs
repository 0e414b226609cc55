//! Feedback of any content about whatever was sent, at any time: no panic, a rate within its bounds, and probes that come to an end.
#![no_main]
use std::time::{Duration, Instant};

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use ossa_media::bandwidth::{BandwidthConfig, BandwidthEstimator};

#[derive(Arbitrary, Debug)]
enum Step {
    /// The next packets, as part of the probe that was begun last or of none.
    Sent { count: u8, size: u16, probe: bool },
    /// About packets from so many ago on.
    Feedback { behind: u8, reference: u32, deltas: Vec<Option<i16>> },
    /// About anything.
    Forged { base: u16, reference: u32, deltas: Vec<Option<i16>> },
    Report { lost: u8 },
    Remb { rate: u64 },
    RoundTrip { milliseconds: u32 },
    Most { rate: u64 },
    Wait { milliseconds: u16 },
}

fuzz_target!(|input: (u64, u64, u64, Vec<Step>)| {
    let (start, least, most, steps) = input;
    // Rates that somebody configures, not those that the network says.
    let [start, least, mut most] = [start, least, most].map(|rate| rate % 10_000_000_000 + 1);
    let mut estimator = BandwidthEstimator::new(BandwidthConfig { start, least, most });
    let (mut now, mut sequence, mut last_probe) = (Instant::now(), 0_u16, None);
    for step in steps {
        match step {
            Step::Sent { count, size, probe } => {
                for _ in 0..count {
                    let probe = last_probe.filter(|_| probe);
                    estimator.on_sent(now, sequence, size.into(), probe);
                    sequence = sequence.wrapping_add(1);
                }
            }
            Step::Feedback { behind, reference, deltas } => {
                estimator.on_feedback(now, reference, sequence.wrapping_sub(behind.into()), &deltas);
            }
            Step::Forged { base, reference, deltas } => estimator.on_feedback(now, reference, base, &deltas),
            Step::Report { lost } => estimator.on_report(now, f64::from(lost) / 255.0),
            Step::Remb { rate } => estimator.set_remb(rate),
            Step::RoundTrip { milliseconds } => {
                estimator.set_round_trip(Duration::from_millis(milliseconds.into()));
            }
            Step::Most { rate } => {
                most = rate % 10_000_000_000 + 1;
                estimator.set_most(most);
            }
            Step::Wait { milliseconds } => now += Duration::from_millis(milliseconds.into()),
        }
        estimator.handle_timeout(now);
        let mut probes = 0;
        while let Some(probe) = estimator.poll_probe(now) {
            last_probe = Some(probe.id);
            probes += 1;
            assert!(probes < 100, "probes without end");
        }
        let target = estimator.target();
        assert!((least..=most.max(least)).contains(&target), "{target} is not from {least} to {most}");
    }
});
