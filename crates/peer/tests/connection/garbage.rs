//! What strangers send must not matter.

use std::net::SocketAddr;
use std::time::Duration;

use ossa_peer::*;

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
            // Plaintext alerts and handshake messages can be forged before there are keys; random ones are not.
            if i % 8 == 4 {
                continue;
            }
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
