//! Stream ids that are used again, and ids whose channel is made late.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use ossa_peer::*;

use crate::net::*;

const DELAY: Duration = Duration::from_millis(20);

fn named(label: &str) -> DataChannelInit {
    DataChannelInit { label: label.to_owned(), ..DataChannelInit::default() }
}

fn negotiated(id: u16) -> DataChannelInit {
    DataChannelInit { negotiated: Some(id), ..named("negotiated") }
}

fn text(i: usize) -> Bytes {
    Bytes::from(format!("m{i}"))
}

/// A path of 40 ms, and a switch that makes everything that a node sends vanish.
fn slow_net() -> (Net, Rc<Cell<Option<usize>>>) {
    let mut net = Net::new();
    net.link.delay = DELAY;
    let mute = Rc::new(Cell::new(None));
    let muted = mute.clone();
    net.tap = Some(Box::new(move |node, _| muted.get() != Some(node)));
    (net, mute)
}

/// `closer` closes its channel, and its answer to the other side's reset is lost: it is through, the other side is not.
fn close_with_lost_answer(net: &mut Net, mute: &Cell<Option<usize>>, closer: usize, id: ChannelId) {
    // Nothing is to be acknowledged any more: the request goes out at once.
    net.run(Duration::from_secs(1));
    net.nodes[closer].conn.close_channel(net.now, id);
    net.run(DELAY + DELAY / 2);
    mute.set(Some(closer));
    net.until("closed", |n| n.closed(closer, id).is_some());
    mute.set(None);
}

fn messages(net: &Net, node: usize, id: ChannelId) -> Vec<Bytes> {
    net.nodes[node].messages.get(&id).into_iter().flatten().map(|(_, data)| data.clone()).collect()
}

fn announced_as(net: &Net, node: usize, label: &str) -> Option<ChannelId> {
    net.announced(node).into_iter().find(|(_, info)| info.label == label).map(|(id, _)| id)
}

fn stream(net: &Net, node: usize, id: ChannelId) -> Option<u16> {
    net.nodes[node].conn.channel(id).and_then(|info| info.stream_id)
}

#[test]
fn no_message_is_lost_when_an_id_is_used_again_before_the_other_side_knows_that_it_is_free() {
    for closer in 0..2 {
        let (mut net, mute) = slow_net();
        let (a, b) = net.open_channel(named("first"));
        let ids = [a, b];
        close_with_lost_answer(&mut net, &mute, closer, ids[closer]);
        assert_eq!(net.closed(1 - closer, ids[1 - closer]), None);
        let creator = 0;
        if closer == creator {
            let second = net.channel(creator, named("second"));
            for i in 0..20_000 {
                net.send(creator, second, text(i));
            }
            net.until("announced", |n| announced_as(n, 1, "second").is_some());
            assert_eq!(net.closed(1, b), Some(None), "the old one is gone when its id belongs to another");
            let far = announced_as(&net, 1, "second").unwrap();
            net.until("received", |n| n.received(1, far) == 20_000);
            assert!(messages(&net, 1, far).into_iter().eq((0..20_000).map(text)));
        } else {
            net.until("closed", |n| n.closed(0, a).is_some());
        }
    }
}

#[test]
fn a_channel_on_an_id_that_was_used_again_early_carries_messages_both_ways() {
    let (mut net, mute) = slow_net();
    let (a, _) = net.open_channel(named("first"));
    let id = stream(&net, 0, a);
    close_with_lost_answer(&mut net, &mute, 0, a);
    let second = net.channel(0, named("second"));
    assert_eq!(stream(&net, 0, second), id);
    net.send(0, second, &b"ping"[..]);
    net.until("announced", |n| announced_as(n, 1, "second").is_some());
    let far = announced_as(&net, 1, "second").unwrap();
    // Sent while the reset of the id's last life is still without an answer.
    for i in 0..500 {
        net.send(1, far, text(i));
    }
    net.until("received", |n| n.received(0, second) == 500 && n.received(1, far) == 1);
    assert!(messages(&net, 0, second).into_iter().eq((0..500).map(text)));
    assert_eq!(net.nodes[1].conn.channel(far).unwrap().buffered_amount, 0);
}

#[test]
fn a_channel_that_is_closed_before_the_last_one_on_its_id_is_settled_closes_on_both_sides() {
    let (mut net, mute) = slow_net();
    let (a, b) = net.open_channel(named("first"));
    let id = stream(&net, 0, a);
    close_with_lost_answer(&mut net, &mute, 0, a);
    let second = net.channel(0, named("second"));
    for i in 0..10 {
        net.send(0, second, text(i));
    }
    net.nodes[0].conn.close_channel(net.now, second);
    net.until("closed", |n| n.closed(0, second).is_some());
    let far = announced_as(&net, 1, "second").expect("it was announced");
    net.until("closed far", |n| n.closed(1, far).is_some());
    assert_eq!((net.closed(1, b), net.closed(1, far)), (Some(None), Some(None)));
    assert!(messages(&net, 1, far).into_iter().eq((0..10).map(text)));
    // The id is not lost.
    let (third, far) = net.open_channel(named("third"));
    assert_eq!(stream(&net, 0, third), id);
    net.send(0, third, &b"x"[..]);
    net.until("received", |n| n.received(1, far) == 1);
}

#[test]
fn an_id_may_be_used_again_and_again_while_answers_get_lost() {
    let (mut net, mute) = slow_net();
    net.open_channel(named("keeps the connection"));
    for round in 0..10 {
        let label = format!("round {round}");
        let a = net.channel(0, named(&label));
        for i in 0..100 {
            net.send(0, a, text(i));
        }
        net.until("announced", |n| announced_as(n, 1, &label).is_some());
        let far = announced_as(&net, 1, &label).unwrap();
        net.until("received", |n| n.received(1, far) == 100);
        assert!(messages(&net, 1, far).into_iter().eq((0..100).map(text)));
        close_with_lost_answer(&mut net, &mute, 0, a);
    }
    net.run(Duration::from_secs(10));
    let closed =
        |n: &Net| n.nodes[1].events.iter().filter(|e| matches!(e, Event::ChannelClosed { .. })).count();
    assert_eq!(closed(&net), 10);
    assert_eq!(net.state(1), ConnectionState::Connected);
}

#[test]
fn fifty_channels_whose_ids_are_used_again_at_once_lose_nothing() {
    let (mut net, mute) = slow_net();
    net.open_channel(named("keeps the connection"));
    let old: Vec<ChannelId> = (0..50).map(|i| net.channel(0, named(&format!("old {i}")))).collect();
    net.until("announced", |n| n.announced(1).len() == 51);
    net.run(Duration::from_secs(1));
    for id in &old {
        net.nodes[0].conn.close_channel(net.now, *id);
    }
    net.run(DELAY + DELAY / 2);
    mute.set(Some(0));
    net.until("closed", |n| old.iter().all(|id| n.closed(0, *id).is_some()));
    mute.set(None);
    for i in 0..50 {
        let id = net.channel(0, named(&format!("new {i}")));
        for k in 0..500 {
            net.send(0, id, text(k));
        }
        net.nodes[0].conn.close_channel(net.now, id);
    }
    net.until("announced", |n| (0..50).all(|i| announced_as(n, 1, &format!("new {i}")).is_some()));
    let far: Vec<_> = (0..50).filter_map(|i| announced_as(&net, 1, &format!("new {i}"))).collect();
    net.until("closed", |n| far.iter().all(|id| n.closed(1, *id).is_some()));
    for id in far {
        assert!(messages(&net, 1, id).into_iter().eq((0..500).map(text)));
    }
}

#[test]
fn an_agreed_id_is_used_again_although_the_last_answer_was_lost() {
    let (mut net, mute) = slow_net();
    net.open_channel(named("keeps the connection"));
    let (a, b) = (net.channel(0, negotiated(7)), net.channel(1, negotiated(7)));
    net.send(0, a, &b"old"[..]);
    net.until("received", |n| n.received(1, b) == 1);
    close_with_lost_answer(&mut net, &mute, 0, a);
    let second = net.channel(0, negotiated(7));
    for i in 0..6000 {
        net.send(0, second, text(i));
    }
    net.until("closed", |n| n.closed(1, b).is_some());
    let far = net.channel(1, negotiated(7));
    net.until("received", |n| n.received(1, far) == 6000);
    assert!(messages(&net, 1, far).into_iter().eq((0..6000).map(text)));
    net.send(1, far, &b"back"[..]);
    net.until("answered", |n| n.received(0, second) == 1);
}

#[test]
fn a_channel_with_an_agreed_id_gets_everything_that_came_before_it_was_made() {
    for count in [1usize, 4095, 4096, 4097, 20_000] {
        let (mut net, _) = slow_net();
        net.open_channel(named("keeps the connection"));
        let a = net.channel(0, negotiated(9));
        for i in 0..count {
            net.send(0, a, text(i));
        }
        net.run(Duration::from_secs(5));
        let b = net.channel(1, negotiated(9));
        for i in count..count + 10 {
            net.send(0, a, text(i));
        }
        net.until("received", |n| n.received(1, b) == count + 10);
        assert!(messages(&net, 1, b).into_iter().eq((0..count + 10).map(text)));
    }
}

#[test]
fn a_channel_that_the_peer_has_closed_already_still_gets_its_messages_when_it_is_made() {
    let (mut net, _) = slow_net();
    net.open_channel(named("keeps the connection"));
    let a = net.channel(0, negotiated(9));
    for i in 0..20 {
        net.send(0, a, text(i));
    }
    net.nodes[0].conn.close_channel(net.now, a);
    net.run(Duration::from_secs(2));
    let b = net.channel(1, negotiated(9));
    net.until("closed", |n| n.closed(1, b).is_some() && n.closed(0, a).is_some());
    assert!(messages(&net, 1, b).into_iter().eq((0..20).map(text)));
    assert_eq!((net.closed(0, a), net.closed(1, b)), (Some(None), Some(None)));
}

#[test]
fn an_agreed_id_that_the_other_side_never_used_is_free_again_after_its_close() {
    let (mut net, _) = slow_net();
    net.open_channel(named("keeps the connection"));
    for _ in 0..3 {
        let a = net.channel(0, negotiated(9));
        net.nodes[0].conn.close_channel(net.now, a);
        net.until_within(Duration::from_secs(1), "closed", |n| n.closed(0, a).is_some());
    }
    let (a, b) = (net.channel(0, negotiated(9)), net.channel(1, negotiated(9)));
    net.send(0, a, &b"x"[..]);
    net.send(1, b, &b"y"[..]);
    net.until("received", |n| n.received(0, a) == 1 && n.received(1, b) == 1);
}

#[test]
fn more_than_can_be_kept_for_a_channel_that_is_made_late_closes_it_with_an_error() {
    let (mut net, _) = slow_net();
    let (other, far_other) = net.open_channel(named("bystander"));
    let a = net.channel(0, negotiated(9));
    for i in 0..100 {
        net.send(0, a, vec![i as u8; 60_000]);
        net.send(0, other, text(i));
    }
    net.until("the sender sees that it is closed", |n| {
        n.nodes[0].events.iter().any(|e| matches!(e, Event::ChannelClosing { id } if *id == a))
    });
    let b = net.channel(1, negotiated(9));
    net.until("closed", |n| n.closed(1, b).is_some() && n.closed(0, a).is_some());
    let error = net.closed(1, b).flatten().expect("it is closed with an error");
    assert_eq!(error.detail, ErrorDetail::DataChannelFailure);
    assert!(error.message.contains("stream 9"), "{}", error.message);
    assert_eq!(net.received(1, b), 0);
    assert!(messages(&net, 1, far_other).into_iter().eq((0..100).map(text)), "other channels lose nothing");
    // Then the id begins anew.
    net.run(Duration::from_secs(1));
    let (a, b) = (net.channel(0, negotiated(9)), net.channel(1, negotiated(9)));
    net.send(0, a, &b"x"[..]);
    net.until("received", |n| n.received(1, b) == 1);
}

#[test]
fn the_stream_that_takes_most_is_given_up_not_the_one_that_comes_last() {
    let (mut net, _) = slow_net();
    net.open_channel(named("keeps the connection"));
    let greedy = net.channel(0, negotiated(9));
    let modest = net.channel(0, negotiated(11));
    for _ in 0..68 {
        net.send(0, greedy, vec![1; 60_000]);
    }
    net.run(Duration::from_secs(2));
    for i in 0..50 {
        net.send(0, modest, Bytes::from(vec![i; 5_000]));
    }
    net.run(Duration::from_secs(5));
    let b = net.channel(1, negotiated(11));
    net.until("received", |n| n.received(1, b) == 50);
    assert!(net.closed(0, greedy).is_some() && net.is_open(0, modest));
}
