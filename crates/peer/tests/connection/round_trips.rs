//! How many round trips it takes until a channel is open, counted in virtual time from the moment when both sides have both
//! descriptions. This is what remains when signaling, processors and line rates cost nothing.

use std::time::Duration;

use ossa_peer::*;

use crate::net::*;

/// Half a round trip.
const DELAY: Duration = Duration::from_millis(50);

/// A side that takes part in what saves round trips, or does not.
fn side(index: usize, init: bool) -> Config {
    let mut config = config(index);
    config.init_in_descriptions = init;
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
    let count = |a, b| halves(Net::with(side(0, a), side(1, b)));
    assert_eq!(count(true, true), (5, 6));
    for (a, b) in [(false, false), (false, true), (true, false)] {
        assert_eq!(count(a, b), (7, 8), "INIT at the offerer: {a}, at the answerer: {b}");
    }
}
