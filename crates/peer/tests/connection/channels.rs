//! Data channels end to end.

use std::time::Duration;

use bytes::Bytes;
use ossa_peer::*;

use crate::net::*;

fn named(label: &str) -> DataChannelInit {
    DataChannelInit { label: label.to_owned(), ..DataChannelInit::default() }
}

/// Bytes that differ from place to place.
pub fn pattern(len: usize, seed: u8) -> Bytes {
    (0..len).map(|i| (i as u8) ^ ((i >> 8) as u8).wrapping_mul(31) ^ seed).collect::<Vec<u8>>().into()
}

#[test]
fn a_message_crosses_a_fresh_connection() {
    let mut net = Net::new();
    let (a, b) = net.open_channel(named("first"));
    let elapsed = net.now - net.start;
    assert!(elapsed < Duration::from_millis(60), "took {elapsed:?}");
    assert_eq!(net.announced(1)[0].1.label, "first");
    net.send(0, a, &b"hello"[..]);
    net.nodes[1].conn.send(net.now, b, MessageKind::Text, Bytes::from_static(b"hi")).unwrap();
    net.until("exchanged", |n| n.received(1, b) == 1 && n.received(0, a) == 1);
    assert_eq!(net.nodes[1].messages[&b], [(MessageKind::Binary, Bytes::from_static(b"hello"))]);
    assert_eq!(net.nodes[0].messages[&a], [(MessageKind::Text, Bytes::from_static(b"hi"))]);
}

#[test]
fn messages_of_every_size_arrive_unchanged_and_in_order_in_both_directions() {
    let mut net = Net::new();
    let (a, b) = net.open_channel(named("sizes"));
    let sizes = [0, 1, 2, 1000, 1191, 1200, 16_384, 65_535, 65_536, 262_144, 0, 5_000_000];
    for (i, len) in sizes.into_iter().enumerate() {
        net.send(0, a, pattern(len, i as u8));
        net.send(1, b, pattern(len, !(i as u8)));
    }
    net.until("all received", |n| n.received(1, b) == sizes.len() && n.received(0, a) == sizes.len());
    for (i, len) in sizes.into_iter().enumerate() {
        assert!(net.nodes[1].messages[&b][i] == (MessageKind::Binary, pattern(len, i as u8)), "size {len}");
        assert!(
            net.nodes[0].messages[&a][i] == (MessageKind::Binary, pattern(len, !(i as u8))),
            "size {len}"
        );
    }
    // Everything that was queued is reported as released, byte by byte.
    let total: usize = sizes.iter().sum();
    net.run(Duration::from_secs(1));
    assert_eq!(net.nodes[0].released[&a], total);
    assert_eq!(net.nodes[0].conn.channel(a).unwrap().buffered_amount, 0);
}

#[test]
fn empty_messages_keep_their_kind() {
    let mut net = Net::new();
    let (a, b) = net.open_channel(named("empty"));
    net.nodes[0].conn.send(net.now, a, MessageKind::Text, Bytes::new()).unwrap();
    net.nodes[0].conn.send(net.now, a, MessageKind::Binary, Bytes::new()).unwrap();
    net.until("received", |n| n.received(1, b) == 2);
    assert_eq!(
        net.nodes[1].messages[&b],
        [(MessageKind::Text, Bytes::new()), (MessageKind::Binary, Bytes::new())]
    );
    assert_eq!(net.nodes[0].released.get(&a), None, "no bytes of the application were queued");
}

#[test]
fn every_kind_of_channel_opens_with_its_attributes_and_carries_data() {
    for ordered in [true, false] {
        for (life, retransmits) in [(None, None), (Some(500), None), (None, Some(3)), (None, Some(0))] {
            for negotiated in [false, true] {
                let mut net = Net::new();
                let init = DataChannelInit {
                    label: "matrix".to_owned(),
                    protocol: "proto".to_owned(),
                    ordered,
                    max_packet_life_time: life,
                    max_retransmits: retransmits,
                    negotiated: negotiated.then_some(7),
                    priority: Priority::High,
                };
                let (a, b) = if negotiated {
                    let a = net.channel(0, init.clone());
                    let b = net.channel(1, init.clone());
                    net.connect();
                    net.until("open", |n| n.is_open(0, a) && n.is_open(1, b));
                    assert!(net.announced(1).is_empty());
                    (a, b)
                } else {
                    net.open_channel(init.clone())
                };
                let infos = [net.nodes[0].conn.channel(a).unwrap(), net.nodes[1].conn.channel(b).unwrap()];
                assert_eq!(infos[0], infos[1]);
                assert_eq!(infos[0].ordered, ordered);
                assert_eq!(infos[0].max_packet_life_time, life);
                assert_eq!(infos[0].max_retransmits, retransmits);
                assert_eq!((infos[0].negotiated, infos[0].priority), (negotiated, Priority::High));
                assert_eq!(infos[0].protocol, "proto");
                for i in 0..50u8 {
                    net.send(0, a, pattern(3000, i));
                    net.send(1, b, pattern(300, i));
                }
                net.until("received", |n| n.received(1, b) == 50 && n.received(0, a) == 50);
            }
        }
    }
}

#[test]
fn an_accepted_channel_honours_the_reliability_for_our_own_messages() {
    let mut net = Net::new();
    net.link.delay = Duration::from_millis(20);
    let init = DataChannelInit { ordered: false, max_retransmits: Some(0), ..named("lossy") };
    let (a, b) = net.open_channel(init);
    net.link.loss = 200;
    for i in 0..200u8 {
        net.send(1, b, pattern(800, i));
        net.run(Duration::from_millis(5));
    }
    net.link.loss = 0;
    net.run(Duration::from_secs(20));
    let received = net.received(0, a);
    assert!(
        (100..200).contains(&received),
        "{received} of 200 arrived: some must be lost, and never sent again"
    );
    assert_eq!(net.nodes[1].released[&b], 200 * 800);
}

#[test]
fn a_reliable_channel_loses_nothing_on_a_bad_path() {
    let mut net = Net::new();
    net.link.delay = Duration::from_millis(10);
    let (a, b) = net.open_channel(named("reliable"));
    net.link.loss = 50;
    net.link.jitter = Duration::from_millis(15);
    for i in 0..300usize {
        net.send(0, a, pattern(100 + i * 13, i as u8));
    }
    net.until("received", |n| n.received(1, b) == 300);
    for (i, (_, data)) in net.nodes[1].messages[&b].iter().enumerate() {
        assert_eq!(data, &pattern(100 + i * 13, i as u8));
    }
}

#[test]
fn a_hundred_channels_from_both_sides_have_ids_of_their_own() {
    let mut net = Net::new();
    let mut ids = [Vec::new(), Vec::new()];
    for i in 0..50 {
        for node in 0..2 {
            ids[node].push(net.channel(node, named(&format!("{node}-{i}"))));
        }
    }
    net.connect();
    net.until("announced", |n| n.announced(0).len() == 50 && n.announced(1).len() == 50);
    for node in 0..2 {
        let parity = match net.nodes[node].conn.snapshot().dtls.unwrap().role.unwrap() {
            DtlsRole::Client => 0,
            DtlsRole::Server => 1,
        };
        for (i, id) in ids[node].iter().enumerate() {
            let stream = net.nodes[node].conn.channel(*id).unwrap().stream_id.unwrap();
            assert_eq!(stream % 2, parity);
            net.send(node, *id, pattern(2000, i as u8));
        }
    }
    net.until("received", |n| {
        (0..2).all(|i| n.nodes[i].messages.values().map(Vec::len).sum::<usize>() == 50)
    });
    for node in 0..2 {
        let labels = net.announced(1 - node);
        for (i, id) in ids[node].iter().enumerate() {
            let stream = net.nodes[node].conn.channel(*id).unwrap().stream_id;
            let (peer, info) = labels.iter().find(|(_, c)| c.stream_id == stream).unwrap();
            assert_eq!(info.label, format!("{node}-{i}"));
            assert_eq!(net.nodes[1 - node].messages[peer][0].1, pattern(2000, i as u8));
        }
    }
}

#[test]
fn a_channel_created_after_the_connection_opens_as_well() {
    let mut net = Net::new();
    net.open_channel(named("one"));
    let (a, b) = net.open_channel(named("two"));
    net.send(0, a, &b"x"[..]);
    net.until("received", |n| n.received(1, b) == 1);
    let c = net.channel(1, named("three"));
    net.until("announced", |n| n.announced(0).len() == 1);
    assert!(net.is_open(1, c));
}

#[test]
fn closing_a_channel_still_sends_what_was_queued_and_closes_both_sides() {
    for closer in 0..2 {
        let mut net = Net::new();
        let (a, b) = net.open_channel(named("closing"));
        let (c, d) = net.open_channel(named("other"));
        let ids = [a, b];
        for i in 0..40u8 {
            net.send(closer, ids[closer], pattern(20_000, i));
            net.send(0, c, pattern(20_000, i));
        }
        net.nodes[closer].conn.close_channel(net.now, ids[closer]);
        let error = net.nodes[closer].conn.send(net.now, ids[closer], MessageKind::Text, Bytes::new());
        assert_eq!(error.unwrap_err().kind, ErrorKind::InvalidState);
        net.until("closed", |n| n.closed(0, a).is_some() && n.closed(1, b).is_some());
        assert_eq!((net.closed(0, a), net.closed(1, b)), (Some(None), Some(None)));
        assert_eq!(net.received(1 - closer, ids[1 - closer]), 40);
        let closing = |e: &Event| matches!(e, Event::ChannelClosing { id } if *id == ids[1 - closer]);
        assert_eq!(net.nodes[1 - closer].events.iter().filter(|e| closing(e)).count(), 1);
        net.until("the other channel's data", |n| n.received(1, d) == 40);
        assert!(net.is_open(0, c) && net.is_open(1, d));
    }
}

#[test]
fn both_sides_may_close_at_once() {
    let mut net = Net::new();
    let (a, b) = net.open_channel(named("both"));
    net.nodes[0].conn.close_channel(net.now, a);
    net.nodes[1].conn.close_channel(net.now, b);
    net.until("closed", |n| n.closed(0, a).is_some() && n.closed(1, b).is_some());
}

#[test]
fn a_stream_id_is_used_again_and_the_new_channel_starts_afresh() {
    let mut net = Net::new();
    net.open_channel(named("keeps the connection"));
    let mut streams = Vec::new();
    for round in 0..20u8 {
        let (a, b) = net.open_channel(named(&format!("round {round}")));
        streams.push(net.nodes[0].conn.channel(a).unwrap().stream_id);
        net.send(0, a, pattern(5000, round));
        net.send(1, b, pattern(5000, !round));
        net.until("received", |n| n.received(1, b) == 1 && n.received(0, a) == 1);
        let closer = usize::from(round % 2);
        net.nodes[closer].conn.close_channel(net.now, [a, b][closer]);
        net.until("closed", |n| n.closed(0, a).is_some() && n.closed(1, b).is_some());
        assert_eq!(net.nodes[0].conn.channel(a), None);
    }
    streams.dedup();
    assert_eq!(streams.len(), 1, "the id is free after each round");
}

#[test]
fn an_id_is_never_used_twice_at_a_time() {
    let mut net = Net::new();
    let init = |id| DataChannelInit { negotiated: Some(id), ..DataChannelInit::default() };
    net.channel(0, init(0));
    let create = |net: &mut Net, i: DataChannelInit| net.nodes[0].conn.create_data_channel(net.now, i);
    assert_eq!(create(&mut net, init(0)).unwrap_err().kind, ErrorKind::Operation);
    assert_eq!(create(&mut net, init(65_535)).unwrap_err().kind, ErrorKind::Type);
    net.channel(0, init(65_534));
    net.channel(1, init(0));
    // The next id of our own avoids those that were negotiated.
    let a = net.channel(1, named("in band"));
    net.connect();
    net.until("announced", |n| n.announced(0).len() == 1);
    assert_eq!(net.nodes[1].conn.channel(a).unwrap().stream_id, Some(2));
}

#[test]
fn impossible_channels_are_refused() {
    let mut net = Net::new();
    let both = DataChannelInit { max_packet_life_time: Some(1), max_retransmits: Some(1), ..named("x") };
    let long = named(&"é".repeat(32_768));
    for init in [both, long] {
        let error = net.nodes[0].conn.create_data_channel(net.now, init).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Type);
    }
    let longest = DataChannelInit { protocol: "p".repeat(65_535), ..named(&"l".repeat(65_535)) };
    net.open_channel(longest.clone());
    assert_eq!(net.announced(1)[0].1.label, longest.label);
    assert_eq!(net.announced(1)[0].1.protocol, longest.protocol);
}

#[test]
fn messages_beyond_what_the_peer_accepts_are_refused_before_anything_is_queued() {
    let mut configs = [config(0), config(1)];
    configs[1].max_message_size = 1000;
    let [a, b] = configs;
    let mut net = Net::with(a, b);
    let (a, b) = net.open_channel(named("limit"));
    assert_eq!(net.nodes[0].conn.snapshot().sctp.unwrap().max_message_size, Some(1000));
    let error = net.nodes[0].conn.send(net.now, a, MessageKind::Binary, pattern(1001, 0)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Type);
    assert_eq!(net.nodes[0].conn.channel(a).unwrap().buffered_amount, 0);
    net.send(0, a, pattern(1000, 0));
    net.send(1, b, pattern(100_000, 0));
    net.until("received", |n| n.received(1, b) == 1 && n.received(0, a) == 1);
}

#[test]
fn a_full_send_buffer_is_an_error_and_empties_again() {
    let mut settings = config(0);
    settings.send_buffer_limit = 1_000_000;
    let mut net = Net::with(settings, config(1));
    let (a, b) = net.open_channel(named("full"));
    let mut sent = 0;
    let error = loop {
        match net.nodes[0].conn.send(net.now, a, MessageKind::Binary, pattern(100_000, 0)) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((sent, error.kind), (10, ErrorKind::Operation));
    net.until("received", |n| n.received(1, b) == sent);
    net.send(0, a, pattern(2_000_000, 1));
    net.until("received", |n| n.received(1, b) == sent + 1);
}

#[test]
fn the_backlog_of_a_channel_does_not_fill_the_send_buffers_of_others() {
    for limit in [100_000, 1_000_000] {
        let mut settings = config(0);
        settings.send_buffer_limit = limit;
        let mut net = Net::with(settings, config(1));
        let (bulk, _) = net.open_channel(named("bulk"));
        let (control, far) = net.open_channel(named("control"));
        let send = |net: &mut Net, id, len| {
            net.nodes[0].conn.send(net.now, id, MessageKind::Binary, pattern(len, 0))
        };
        while send(&mut net, bulk, 20_000).is_ok() {}
        assert_eq!(send(&mut net, control, 4).err(), None);
        assert_eq!(send(&mut net, control, limit - 4).err(), None, "it has the whole limit");
        assert_eq!(send(&mut net, control, 1).unwrap_err().kind, ErrorKind::Operation);
        net.until("received", |n| n.received(1, far) == 2);
        assert_eq!(send(&mut net, control, limit).err(), None);
    }
}

#[test]
fn channels_of_a_peer_whose_sctp_never_answers_close_with_an_error_after_the_time_limit() {
    for limit in [Duration::from_secs(2), Duration::from_secs(30)] {
        let mut settings = config(0);
        settings.sctp.handshake_timeout = Some(limit);
        let mut net = Net::with(settings, config(1));
        let a = net.channel(0, named("waiting"));
        let offer = net.set_local(0, SdpType::Offer);
        net.set_remote(1, SdpType::Offer, &offer);
        let answer = net.set_local(1, SdpType::Answer);
        net.settle();
        // Nobody is at this port.
        let elsewhere = answer.replace("a=sctp-port:5000", "a=sctp-port:5001");
        net.set_remote(0, SdpType::Answer, &elsewhere);
        net.until_within(limit + Duration::from_secs(3), "closed", |n| n.closed(0, a).is_some());
        let error = net.closed(0, a).flatten().expect("it is closed with an error");
        assert_eq!(error.detail, ErrorDetail::SctpFailure);
        assert!(error.message.contains("handshake"), "{}", error.message);
        assert_eq!(net.nodes[0].conn.snapshot().sctp.unwrap().state, SctpState::Closed);
        // And a channel that is made afterwards does not wait for ever either.
        let late = net.channel(0, named("late"));
        net.until_within(Duration::from_secs(1), "closed", |n| n.closed(0, late).is_some());
        assert!(net.closed(0, late).flatten().is_some());
    }
}

#[test]
fn a_closed_connection_closes_the_channels_of_the_peer() {
    let mut net = Net::new();
    let (a, b) = net.open_channel(named("gone"));
    net.nodes[0].conn.close(net.now);
    net.until_within(Duration::from_millis(50), "closed", |n| n.closed(1, b).is_some());
    assert_eq!(net.closed(0, a), None, "close() reports nothing");
    assert_eq!(net.nodes[0].conn.channel(a), None);
    let sctp = net.nodes[1].conn.snapshot().sctp.unwrap();
    assert_eq!(sctp.state, SctpState::Closed);
    let error = net.nodes[1].conn.send(net.now, b, MessageKind::Text, Bytes::new()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidState);
}

#[test]
fn statistics_count_messages_and_bytes_per_channel() {
    let mut net = Net::new();
    let (a, b) = net.open_channel(named("counted"));
    for _ in 0..5 {
        net.send(0, a, pattern(1000, 0));
    }
    net.until("received", |n| n.received(1, b) == 5);
    let find = |net: &Net, node: usize| {
        net.nodes[node].conn.stats(net.now).entries.into_iter().find_map(|s| match s {
            stats::Stats::DataChannel(d) => Some(d),
            _ => None,
        })
    };
    let (sender, receiver) = (find(&net, 0).unwrap(), find(&net, 1).unwrap());
    assert_eq!((sender.messages_sent, sender.bytes_sent), (5, 5000));
    assert_eq!((receiver.messages_received, receiver.bytes_received), (5, 5000));
    assert_eq!(sender.label, "counted");
}
