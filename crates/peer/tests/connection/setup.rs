//! Getting connected.

use std::time::Duration;

use ossa_peer::*;

use crate::net::*;

#[test]
fn two_connections_reach_each_other_within_a_few_round_trips() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    net.connect();
    let elapsed = net.now - net.start;
    assert!(elapsed < Duration::from_millis(30), "took {elapsed:?}");
}
