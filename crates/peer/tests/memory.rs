//! Alone in its process, because it counts what the process holds.
#![allow(dead_code, unreachable_pub, reason = "the network of the other tests can do more")]

mod counting;
#[path = "connection/net.rs"]
mod net;

use std::time::Duration;

use counting::live;
use net::{Net, config};
use ossa_peer::{Config, DataChannelInit, MediaCapabilities, MediaSettings};

/// As W3C's classes make it: able to do audio and video, which costs nothing as long as there is none.
fn able_to_do_media(index: usize) -> Config {
    let wall_clock = Duration::from_secs(1_700_000_000);
    let media = MediaSettings { capabilities: MediaCapabilities::shared(), wall_clock };
    Config { media: Some(media), ..config(index) }
}

/// Connected, with a channel, and quiet for long enough that buffers were given back.
fn idle() -> Net {
    let mut net = Net::with(able_to_do_media(0), able_to_do_media(1));
    net.channel(0, DataChannelInit::default());
    net.connect();
    net.run(Duration::from_secs(7));
    for node in &mut net.nodes {
        node.events = Vec::new();
    }
    net
}

#[test]
fn thousands_of_idle_connections_fit_into_a_process() {
    // Once, so that what all share is there.
    drop(idle());
    let before = live();
    let pairs: Vec<Net> = (0..10).map(|_| idle()).collect();
    let each = (live() - before) / (2 * pairs.len());
    // 34 kB of Rust; what the C library of DTLS holds is not counted.
    assert!(each < 36_000, "{each} bytes for each end");
}
