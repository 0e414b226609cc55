//! How many round trips it takes until a channel is open, counted in virtual time from the moment when both sides have both
//! descriptions. This is what remains when signaling, processors and line rates cost nothing.

use std::time::Duration;

use ossa_peer::*;

use crate::net::*;

/// Half a round trip.
const DELAY: Duration = Duration::from_millis(50);

/// A side that takes part in what saves round trips, or does not.
fn side(index: usize, init: bool, checks: bool) -> Config {
    let mut config = config(index);
    config.init_in_descriptions = init;
    config.dtls.in_checks = checks;
    config
}

/// Half round trips until the channel is open at the offerer, which has made it, and until it is announced at the answerer.
fn halves(mut net: Net) -> (u32, u32) {
    net.link.delay = DELAY;
    let id = net.channel(0, DataChannelInit::default());
    let start = net.now;
    net.negotiate(0);
    let (mut open, mut announced) = (None, None);
    while open.is_none() || announced.is_none() {
        net.settle();
        let elapsed = ((net.now - start).as_micros() / DELAY.as_micros()) as u32;
        open = open.or_else(|| net.is_open(0, id).then_some(elapsed));
        announced = announced.or_else(|| (!net.announced(1).is_empty()).then_some(elapsed));
        assert!(net.step(start + Duration::from_secs(60)), "{}", net.describe());
    }
    // What is in flight must not be lost: a message each way, and it stays one association.
    let other = net.announced(1)[0].0;
    net.send(0, id, "from the offerer");
    net.send(1, other, "from the answerer");
    net.until("delivered", |net| net.received(0, id) == 1 && net.received(1, other) == 1);
    assert!((0..2).all(|node| net.state(node) == ConnectionState::Connected));
    open.zip(announced).unwrap()
}

#[test]
fn descriptions_that_carry_the_init_save_the_handshake_of_sctp() {
    let count = |a, b| halves(Net::with(side(0, a, false), side(1, b, false)));
    assert_eq!(count(true, true), (5, 6));
    for (a, b) in [(false, false), (false, true), (true, false)] {
        assert_eq!(count(a, b), (7, 8), "INIT at the offerer: {a}, at the answerer: {b}");
    }
}

#[test]
fn checks_that_carry_the_handshake_save_that_of_dtls() {
    let count = |a, b| halves(Net::with(side(0, false, a), side(1, false, b)));
    assert_eq!(count(true, true), (5, 6));
    for (a, b) in [(false, false), (false, true), (true, false)] {
        assert_eq!(count(a, b), (7, 8), "DTLS in checks at the offerer: {a}, at the answerer: {b}");
    }
}

#[test]
fn a_channel_is_open_after_one_and_a_half_round_trips_and_on_the_other_side_after_two() {
    assert_eq!(halves(Net::new()), (3, 4));
}

/// META-DTLS-IN-STUN or its acknowledgement stands in a message.
fn carries(datagram: &[u8]) -> bool {
    let is_stun = datagram[0] < 4;
    let mut rest = datagram.get(20..).filter(|_| is_stun).unwrap_or_default();
    while let Some((header, later)) = rest.split_first_chunk::<4>() {
        if header[0] == 0xc0 && header[1] & 0xfe == 0x70 {
            return true;
        }
        let len = usize::from(u16::from_be_bytes([header[2], header[3]])).next_multiple_of(4);
        rest = later.get(len..).unwrap_or_default();
    }
    false
}

#[test]
fn a_path_with_losses_connects_with_any_of_it_on_either_side() {
    for (a, b) in [(true, true), (true, false), (false, true)] {
        for seed in 1..=20 {
            let mut net = Net::with(side(0, a, a), side(1, b, b));
            net.rng = seed * 0x1234_5677;
            net.link.loss = 100;
            let (open, announced) = halves(net);
            // Ten seconds, where a lost flight is repeated after 250 ms.
            assert!(open < 200 && announced < 200, "{a} {b} {seed}: {open} {announced}");
        }
    }
}

#[test]
fn a_path_that_swallows_checks_with_something_in_them_connects_with_the_others() {
    for dropped_from in [[true, true], [true, false], [false, true]] {
        let mut net = Net::new();
        net.tap = Some(Box::new(move |from, datagram| !(dropped_from[from] && carries(datagram))));
        let (open, _) = halves(net);
        assert!(open < 60, "{dropped_from:?}: {open}");
    }
}

#[test]
fn a_path_that_is_too_narrow_for_checks_with_a_flight_connects_with_the_others() {
    for narrow in [548, 700, 1000] {
        let mut net = Net::new();
        net.link.mtu = narrow;
        let (open, _) = halves(net);
        assert!(open < 80, "{narrow}: {open}");
    }
}

#[test]
fn a_path_that_swallows_everything_of_the_handshake_outside_of_checks_finishes_it_inside() {
    let mut net = Net::new();
    net.tap = Some(Box::new(|_, datagram| {
        // Handshake records in the clear, and those under the keys of the handshake (epoch 2 in the low bits).
        !(datagram[0] == 22 || (datagram[0] & 0xe3) == 0x22)
    }));
    halves(net);
}

#[test]
fn checks_carry_nothing_any_more_once_the_handshake_is_done() {
    let mut net = Net::new();
    net.open_channel(DataChannelInit::default());
    net.run(Duration::from_secs(10));
    let late = std::rc::Rc::new(std::cell::Cell::new((0, 0)));
    let seen = std::rc::Rc::clone(&late);
    net.tap = Some(Box::new(move |_, datagram| {
        let (checks, loaded) = seen.get();
        seen.set((checks + u32::from(datagram[0] < 4), loaded + u32::from(carries(datagram))));
        true
    }));
    net.run(Duration::from_secs(10));
    assert!(late.get().0 > 4);
    assert_eq!(late.get().1, 0);
}

#[test]
fn an_answer_that_comes_later_than_the_checks_of_the_answerer_costs_nothing_more() {
    let mut net = Net::new();
    net.link.delay = DELAY;
    let id = net.channel(0, DataChannelInit::default());
    let offer = net.set_local(0, SdpType::Offer);
    net.set_remote(1, SdpType::Offer, &offer);
    let answer = net.set_local(1, SdpType::Answer);
    net.settle();
    net.run(Duration::from_millis(777));
    let applied = net.now;
    net.set_remote(0, SdpType::Answer, &answer);
    net.until("open", |net| net.is_open(0, id));
    assert!(net.now - applied <= DELAY * 4, "{:?}", net.now - applied);
}

/// Two with a channel that both know, open at the second. The network swallows its answers to the checks of the first.
fn unanswered() -> (Net, [ChannelId; 2]) {
    let mut net = Net::new();
    let init = DataChannelInit { negotiated: Some(7), ..DataChannelInit::default() };
    let ids = [0, 1].map(|node| net.channel(node, init.clone()));
    let is_answer = |datagram: &[u8]| datagram.starts_with(&[1, 1]);
    net.tap = Some(Box::new(move |from, datagram| from == 0 || !is_answer(datagram)));
    net.negotiate(0);
    net.until("open on the other side", |net| net.is_open(1, ids[1]));
    (net, ids)
}

#[test]
fn a_channel_is_open_once_a_check_was_answered_and_what_came_before_is_not_lost() {
    let (mut net, ids) = unanswered();
    net.send(1, ids[1], "early");
    net.run(Duration::from_millis(400));

    let up = |e: &Event| {
        matches!(e, Event::DtlsState { .. } | Event::SctpState { state: SctpState::Connected, .. })
    };
    assert!(!net.nodes[0].events.iter().any(up), "nothing could be sent on it: {:?}", net.nodes[0].events);
    let transport = |net: &Net| {
        let stats = net.transport_stats(0);
        (stats.dtls_state, stats.selected_candidate_pair_id.is_some())
    };
    assert_eq!(transport(&net), (DtlsState::New, false));

    net.tap = None;
    net.until("open", |net| net.is_open(0, ids[0]));
    assert_eq!(transport(&net), (DtlsState::Connected, true));
    net.settle();
    assert_eq!(net.received(0, ids[0]), 1, "what had come need not be repeated");
}

#[test]
fn the_last_words_of_a_peer_that_left_before_it_answered_a_check_are_heard() {
    let (mut net, ids) = unanswered();
    net.send(1, ids[1], "so long");
    net.run(Duration::from_millis(20));
    let now = net.now;
    net.nodes[1].conn.close(now);
    net.until("closed", |net| net.closed(0, ids[0]).is_some());
    assert_eq!(net.received(0, ids[0]), 1);
    let is_of_transport = |event: &&Event| matches!(event, Event::DtlsState { .. } | Event::SctpState { .. });
    let told: Vec<_> = net.nodes[0].events.iter().filter(is_of_transport).collect();
    assert!(
        matches!(
            told[..],
            [
                Event::DtlsState { state: DtlsState::Connecting, .. },
                Event::DtlsState { state: DtlsState::Connected, .. },
                Event::SctpState { state: SctpState::Connected, .. },
                Event::DtlsState { state: DtlsState::Closed, .. },
                Event::SctpState { state: SctpState::Closed, .. },
            ]
        ),
        "{told:?}"
    );
}

#[test]
fn a_peer_that_answers_no_check_is_given_up_whatever_it_sends() {
    let (mut net, [_, id]) = unanswered();
    (0..1000).for_each(|_| net.send(1, id, "x".repeat(1000)));
    net.run(Duration::from_secs(120));
    assert_eq!(net.state(0), ConnectionState::Failed, "{}", net.describe());
}

#[test]
fn a_certificate_that_was_not_signaled_is_refused_inside_of_checks_too() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    net.channel(1, DataChannelInit { negotiated: Some(7), ..DataChannelInit::default() });
    let offer = net.set_local(0, SdpType::Offer);
    net.set_remote(1, SdpType::Offer, &offer);
    let answer = net.set_local(1, SdpType::Answer);
    net.settle();
    let [genuine, other] = [1, 0].map(|index| certificate(index).fingerprints()[0].to_string());
    net.set_remote(0, SdpType::Answer, &answer.replace(&genuine, &other));
    net.until("failed", |net| net.state(0) == ConnectionState::Failed);
    net.run(Duration::from_secs(5));
    let is_up = |e: &Event| {
        matches!(e, Event::SctpState { state: SctpState::Connected, .. } | Event::ChannelOpen { .. })
    };
    assert!(!net.nodes[0].events.iter().any(is_up));
}
