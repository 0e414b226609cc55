//! What holds of every congestion controller, on whatever path.

mod support;

use std::time::Duration;

use ossa_sctp::{Config, CongestionControl};
use proptest::prelude::*;
use support::{Link, MS, Sim, pattern, reliable};

fn any_controller() -> impl Strategy<Value = CongestionControl> {
    prop_oneof![
        Just(CongestionControl::NewReno),
        Just(CongestionControl::Cubic),
        Just(CongestionControl::Bbr)
    ]
}

/// Delay in milliseconds, Mbit/s, milliseconds of queue, loss.
fn any_link() -> impl Strategy<Value = Link> {
    (1u32..250, 1u64..100, 10u64..2000, prop_oneof![Just(0.0), 0.0..0.2]).prop_map(
        |(delay, megabits, queue, loss)| {
            let rate = megabits * 125_000;
            let queue = (rate * queue / 1000).max(15_000);
            Link { delay: delay * MS, rate, queue, loss, mtu: 1435, ..Link::default() }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn never_more_is_in_flight_than_the_peer_has_room_for(
        congestion in any_controller(),
        link in any_link(),
        window in 4_000usize..300_000,
        pauses in any::<bool>(),
        seed in 0u64..1000,
    ) {
        let config = Config {
            congestion,
            receive_window_min: window,
            receive_window_max: window,
            ..Config::default()
        };
        let mut sim = Sim::connected(link, config, seed);
        let end = sim.now + Duration::from_secs(8);
        let mut index = 0;
        while sim.now < end {
            while sim.a.association.buffered_amount(0) < 1 << 19 {
                sim.send_from_a(0, pattern(1000, index), reliable());
                index += 1;
            }
            // Every other second the reader stops.
            sim.b.reads = !pauses || sim.now.as_secs().is_multiple_of(2);
            sim.step(end);
            let in_flight = sim.a.association.metrics().in_flight;
            // The window counts payload, and a probe may go beyond it.
            prop_assert!(in_flight <= window / 1000 * 1020 + 2 * 1040, "{in_flight} of {window}");
        }
        prop_assert!(!sim.b.received.is_empty());
    }

    #[test]
    fn nothing_is_lost_or_reordered_and_the_way_is_never_shut(
        congestion in any_controller(),
        link in any_link(),
        seed in 0u64..1000,
    ) {
        let link = Link { reorder: 0.05, reorder_by: link.delay, ..link };
        let config = Config { congestion, ..Config::default() };
        let mut sim = Sim::connected(link, config, seed);
        for index in 0..60 {
            sim.send_from_a(0, pattern(20_000, index), reliable());
        }
        let mut arrived = 0;
        while arrived < 60 {
            let progress = sim.run_until(Duration::from_secs(60), |sim| sim.b.received.len() > arrived);
            prop_assert!(progress, "{arrived} of 60: {:?}", sim.a.association.metrics());
            arrived = sim.b.received.len();
        }
        prop_assert!(sim.b.messages_on(0).into_iter().eq((0..60).map(|index| pattern(20_000, index))));
    }
}

#[test]
fn a_pause_of_the_application_or_of_the_path_leaves_nothing_behind_that_holds_it_up() {
    for congestion in [CongestionControl::NewReno, CongestionControl::Cubic, CongestionControl::Bbr] {
        for outage in [0, 300, 3_000, 30_000] {
            let link = Link { delay: 25 * MS, rate: 6_250_000, queue: 625_000, mtu: 1435, ..Link::default() };
            let config = Config { congestion, ..Config::default() };
            let mut sim = Sim::connected(link, config, 9);
            let transfer = |sim: &mut Sim| {
                let (start, before) = (sim.now, sim.b.received.len());
                for index in 0..100 {
                    sim.send_from_a(0, pattern(50_000, index), reliable());
                }
                let done = |sim: &Sim| sim.b.received.len() == before + 100;
                assert!(sim.run_until(Duration::from_secs(60), done), "{:?}", sim.a.association.metrics());
                sim.now - start
            };
            let first = transfer(&mut sim);
            let now = sim.now;
            for link in <[&mut Link; 2]>::from(sim.link()) {
                link.outages = vec![(now, now + outage * MS)];
            }
            let second = transfer(&mut sim).saturating_sub(outage * MS);
            // Retransmission backs off to four seconds at most.
            assert!(
                second < first + Duration::from_secs(5),
                "{congestion:?}, {outage} ms: {first:?}, {second:?}"
            );
            sim.run_for(Duration::from_secs(40));
            let third = transfer(&mut sim);
            assert!(
                third < first + Duration::from_secs(1),
                "{congestion:?}, {outage} ms: {first:?}, {third:?}"
            );
        }
    }
}
