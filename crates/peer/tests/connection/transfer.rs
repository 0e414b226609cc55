//! Data under way while something else happens.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use ossa_peer::*;

use crate::channels::pattern;
use crate::net::*;

fn named(label: &str) -> DataChannelInit {
    DataChannelInit { label: label.to_owned(), ..DataChannelInit::default() }
}

#[test]
fn a_receiver_that_takes_nothing_stops_the_sender_and_loses_nothing() {
    let mut settings = config(0);
    settings.send_buffer_limit = 0;
    let mut net = Net::with(settings, config(1));
    let (a, b) = net.open_channel(named("slow"));
    net.nodes[1].accept_data = false;
    for i in 0..2000usize {
        net.send(0, a, pattern(50_000, i as u8));
    }
    net.run(Duration::from_secs(30));
    assert_eq!(net.received(1, b), 0);
    let stuck = net.nodes[0].conn.channel(a).unwrap().buffered_amount;
    assert!(stuck > 50_000_000, "only {stuck} bytes are held back");
    assert_eq!(net.state(0), ConnectionState::Connected);
    net.nodes[1].accept_data = true;
    net.until("received", |n| n.received(1, b) == 2000);
}

#[test]
fn what_was_sent_just_before_a_close_and_has_arrived_is_delivered_first() {
    for accept_at_once in [true, false] {
        let mut net = Net::new();
        let (a, b) = net.open_channel(named("last words"));
        net.nodes[1].accept_data = false;
        net.send(0, a, &b"bye"[..]);
        net.run(Duration::from_millis(100));
        net.nodes[0].conn.close(net.now);
        net.nodes[1].accept_data = accept_at_once;
        net.run(Duration::from_millis(100));
        if !accept_at_once {
            assert_eq!(net.closed(1, b), None, "not before the message was taken");
            net.nodes[1].accept_data = true;
        }
        net.until("closed", |n| n.closed(1, b).is_some());
        assert_eq!(net.received(1, b), 1);
    }
}

#[test]
fn keys_are_renewed_while_data_flows() {
    let mut configs = [config(0), config(1)];
    for config in &mut configs {
        config.dtls.key_update_records = 50;
    }
    let [a, b] = configs;
    let mut net = Net::with(a, b);
    let (a, b) = net.open_channel(named("renewed"));
    net.link.loss = 20;
    for i in 0..300u32 {
        net.send(0, a, pattern(5000, i as u8));
        net.send(1, b, pattern(5000, i as u8));
    }
    net.until("received", |n| n.received(1, b) == 300 && n.received(0, a) == 300);
    assert_eq!(net.state(0), ConnectionState::Connected);
}

#[test]
fn a_restart_in_the_middle_of_a_transfer_loses_nothing() {
    let mut net = Net::new();
    net.link.delay = Duration::from_millis(15);
    let (a, b) = net.open_channel(named("moving"));
    for i in 0..400usize {
        net.send(0, a, pattern(20_000, i as u8));
        net.send(1, b, pattern(20_000, i as u8));
        if i % 100 == 50 {
            net.nodes[i / 100 % 2].conn.restart_ice();
            net.negotiate(i / 100 % 2);
        }
        net.run(Duration::from_millis(3));
    }
    net.until("received", |n| n.received(1, b) == 400 && n.received(0, a) == 400);
    for (i, (_, data)) in net.nodes[1].messages[&b].iter().enumerate() {
        assert_eq!(data, &pattern(20_000, i as u8));
    }
}

/// Gives a hundred messages to a channel of the first node; the path is gone from the middle of them on.
fn send_while_the_path_breaks(net: &mut Net, channel: ChannelId) {
    for i in 0..100usize {
        net.send(0, channel, pattern(30_000, i as u8));
        if i == 50 {
            net.run(Duration::from_millis(20));
            net.link.down = true;
        }
    }
}

#[test]
fn what_was_on_its_way_when_consent_expired_arrives_as_soon_as_ice_is_restarted() {
    for minutes in [1, 60] {
        let mut net = Net::new();
        let (a, b) = net.open_channel(named("kept"));
        send_while_the_path_breaks(&mut net, a);
        net.run(Duration::from_secs(60 * minutes));
        assert_eq!((net.state(0), net.state(1)), (ConnectionState::Failed, ConnectionState::Failed));
        assert!((0..2).all(|i| net.is_open(i, [a, b][i])), "ICE alone closes no channel");
        net.link.down = false;
        net.nodes[0].conn.restart_ice();
        net.negotiate(0);
        net.until_within(Duration::from_secs(1), "received", |n| n.received(1, b) == 100);
        for (i, (_, data)) in net.nodes[1].messages[&b].iter().enumerate() {
            assert_eq!(data, &pattern(30_000, i as u8));
        }
        assert_eq!((net.state(0), net.state(1)), (ConnectionState::Connected, ConnectionState::Connected));
    }
}

#[test]
fn a_silence_that_passes_by_itself_leaves_no_timeout_behind() {
    let mut net = Net::new();
    let (a, b) = net.open_channel(named("short"));
    net.send(0, a, pattern(30_000, 1));
    net.link.down = true;
    net.run(Duration::from_secs(20));
    net.link.down = false;
    net.until("connected", |n| n.state(0) == ConnectionState::Connected);
    net.until_within(Duration::from_millis(200), "received", |n| n.received(1, b) == 1);
}

#[test]
fn two_minutes_without_a_path_lose_nothing_if_the_connection_is_kept() {
    let mut configs = [config(0), config(1)];
    for config in &mut configs {
        config.ice.failed_timeout = None;
    }
    let [a, b] = configs;
    let mut net = Net::with(a, b);
    let (a, b) = net.open_channel(named("patient"));
    send_while_the_path_breaks(&mut net, a);
    net.run(Duration::from_secs(120));
    net.link.down = false;
    net.until_within(Duration::from_secs(15), "received", |n| n.received(1, b) == 100);
}

#[test]
fn large_packets_are_tried_only_with_a_peer_that_announces_to_take_them() {
    for announced in [true, false] {
        let mut net = Net::new();
        let largest = Rc::new(Cell::new(0));
        let seen = Rc::clone(&largest);
        net.tap = Some(Box::new(move |_, data| {
            seen.set(seen.get().max(data.len()));
            true
        }));
        let a = net.channel(0, named("sized"));
        let foreign = |sdp: &str| match announced {
            true => sdp.to_owned(),
            false => sdp.replace("a=ossa-max-packet:16300\r\n", ""),
        };
        let offer = net.set_local(0, SdpType::Offer);
        net.set_remote(1, SdpType::Offer, &foreign(&offer));
        let answer = net.set_local(1, SdpType::Answer);
        net.settle();
        net.set_remote(0, SdpType::Answer, &foreign(&answer));
        net.until("open", |n| n.is_open(0, a) && n.announced(1).len() == 1);
        let b = net.announced(1)[0].0;
        for i in 0..50 {
            net.send(0, a, pattern(100_000, i));
        }
        net.until("received", |n| n.received(1, b) == 50);
        net.run(Duration::from_secs(10));
        assert_eq!(largest.get() > 10_000, announced, "{} bytes", largest.get());
        assert!(announced || largest.get() < 1280, "{} bytes", largest.get());
    }
}

/// Datagrams of a transfer of 100 messages of 50 kB, while the path comes to carry no datagrams larger than `mtu`.
fn shrinking(mtu: usize, addresses: [&str; 2]) -> usize {
    let mut net = Net::new();
    net.link.delay = Duration::from_millis(20);
    for (node, address) in net.nodes.iter_mut().zip(addresses) {
        node.addrs = vec![address.parse().unwrap()];
    }
    let (a, b) = net.open_channel(named("shrinking"));
    for i in 0..200 {
        net.send(0, a, pattern(50_000, i as u8));
    }
    net.until("half", |n| n.received(1, b) >= 100);
    net.link.mtu = mtu;
    let before = net.nodes[0].datagrams;
    for stage in (100..200).step_by(10) {
        net.until_within(Duration::from_secs(3), "moving", |n| n.received(1, b) >= stage + 10);
    }
    for (i, (_, data)) in net.nodes[1].messages[&b].iter().enumerate() {
        assert_eq!(data, &pattern(50_000, i as u8));
    }
    usize::try_from(net.nodes[0].datagrams - before).unwrap()
}

#[test]
fn a_path_that_comes_to_swallow_large_datagrams_goes_on_with_small_ones() {
    // What UDP carries over IPv4 and IPv6 with an MTU of 1,280, and over Ethernet.
    for mtu in [1252, 1232, 1472] {
        for addresses in [["10.0.0.1:5000", "10.0.0.2:5000"], ["[fd00::1]:5000", "[fd00::2]:5000"]] {
            shrinking(mtu, addresses);
        }
    }
}

#[test]
fn on_one_host_a_packet_is_filled_by_one_chunk_and_elsewhere_by_no_more_datagrams() {
    let inside = shrinking(65_536, ["10.0.0.1:5000", "10.0.0.1:5001"]);
    let outside = shrinking(65_536, ["10.0.0.1:5000", "10.0.0.2:5001"]);
    // Somewhat more: a portion of the pacer ends with a packet that is not full.
    assert!(outside < inside + inside / 5, "{outside} and {inside} datagrams");
}
