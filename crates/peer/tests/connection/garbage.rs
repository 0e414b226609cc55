//! What strangers send must not matter.

use std::net::SocketAddr;
use std::time::Duration;

use ossa_peer::*;
use proptest::prelude::*;

use crate::net::*;

/// Random bytes behind a plausible start.
fn garbage(net: &mut Net, i: usize) -> Vec<u8> {
    let len = (net.random() % 1500) as usize + 1;
    let mut bytes: Vec<u8> = (0..len).map(|_| net.random() as u8).collect();
    let header: &[u8] = match i % 8 {
        0 => &[0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42],
        1 => &[1, 1, 0, 44, 0x21, 0x12, 0xA4, 0x42],
        2 => &[22, 0xFE, 0xFD, 0, 0],
        3 => &[23, 0xFE, 0xFD, 0, 1],
        4 => &[21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40],
        5 => &[0x2F],
        6 => &[0x40],
        _ => &[],
    };
    let n = header.len().min(len);
    bytes[..n].copy_from_slice(&header[..n]);
    bytes
}

#[test]
fn ten_thousand_random_datagrams_do_not_disturb_a_connection() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    net.connect();
    let stranger: SocketAddr = "203.0.113.5:999".parse().unwrap();
    for i in 0..10_000 {
        let data = garbage(&mut net, i);
        for node in 0..2 {
            // From nowhere, and with the forged address of the peer.
            let from = if i % 2 == 0 { stranger } else { net.nodes[1 - node].addrs[0] };
            let to = net.nodes[node].addrs[0];
            net.nodes[node].conn.handle_datagram(net.now, to, from, &data);
        }
        if i % 100 == 0 {
            net.run(Duration::from_millis(10));
        }
    }
    net.run(Duration::from_secs(30));
    assert_eq!((net.state(0), net.state(1)), (ConnectionState::Connected, ConnectionState::Connected));
    net.open_channel(DataChannelInit { label: "after".to_owned(), ..DataChannelInit::default() });
}

#[test]
fn random_datagrams_during_set_up_do_not_prevent_it() {
    for seed in 1..=5u64 {
        let mut net = Net::new();
        net.rng = seed * 0x0BAD_5EED;
        net.channel(0, DataChannelInit::default());
        net.negotiate(0);
        for i in 0..400 {
            let data = garbage(&mut net, i);
            for node in 0..2 {
                let (to, from) = (net.nodes[node].addrs[0], net.nodes[1 - node].addrs[0]);
                net.nodes[node].conn.handle_datagram(net.now, to, from, &data);
            }
            if i % 16 == 0 {
                let end = net.now + Duration::from_micros(200);
                net.step(end);
            }
        }
        net.until("connected", |n| (0..2).all(|i| n.state(i) == ConnectionState::Connected));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Whatever becomes of the datagrams of a genuine peer on their way, in whatever state: no panic, no endless loop,
    /// and once the network behaves, either a connection or a clear failure.
    #[test]
    fn mangled_datagrams_in_any_state_end_in_a_connection_or_a_clear_failure(
        seed in 1u64..,
        rate in 1u64..8,
        mangled in 1usize..100,
    ) {
        let mut net = Net::new();
        net.rng = seed;
        let mut random = seed;
        let mut left = mangled;
        net.tap = Some(Box::new(move |_, data| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if left == 0 || (random >> 33) % 8 >= rate {
                return true;
            }
            left -= 1;
            let at = (random >> 20) as usize % data.len();
            match (random >> 60) % 4 {
                0 => data.truncate(at.max(1)),
                1 => data.extend_from_within(..at),
                2 => data[at..].fill(random as u8),
                _ => data[at] ^= (random >> 12) as u8 | 1,
            }
            true
        }));
        net.channel(0, DataChannelInit::default());
        net.negotiate(0);
        net.until_within(Duration::from_secs(600), "settled", |n| {
            let over = |i: usize| matches!(n.state(i), ConnectionState::Connected | ConnectionState::Failed);
            over(0) && over(1)
        });
    }
}
