//! Heap that an idle, connected connection keeps.
//!
//! `cargo run -p ossa-peer --example memory`
#![allow(missing_docs)]

#[path = "../tests/counting/mod.rs"]
mod counting;
mod support;

use std::time::Duration;

use bytes::Bytes;
use counting::live;
use ossa_peer::{Config, DataChannelInit, MessageKind};
use support::{Pair, certificate, now};

const PAIRS: usize = 20;

fn main() {
    for busy in [false, true] {
        let certificates = [certificate(), certificate()];
        let before = live();
        let mut pairs = Vec::new();
        for i in 0..PAIRS {
            let configs = certificates.clone().map(Config::new);
            let (mut pair, channel) = Pair::connect(configs, DataChannelInit::default(), i as u8);
            pair.wait_open();
            if busy {
                let t = now();
                for _ in 0..100 {
                    let message = Bytes::from(vec![1u8; 65_536]);
                    pair.ends[0].send(t, channel, MessageKind::Binary, message).expect("room");
                }
                while pair.received[1].0 < 100 {
                    pair.turn();
                }
            }
            pairs.push(pair);
        }
        // Long enough for path MTU discovery to end and for buffers to be given back.
        let end = now() + Duration::from_secs(7);
        while now() < end {
            for pair in &mut pairs {
                while pair.turn() {}
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        for pair in &mut pairs {
            pair.release_buffer();
        }
        let each = (live() - before) / (2 * PAIRS);
        let inline = size_of::<ossa_peer::Connection>();
        println!(
            "after {}: {each} bytes per connection, {inline} of them the struct",
            if busy { "6.5 MB" } else { "set-up" }
        );
    }
}
