//! How fast two connections are in memory, both on one core: no sockets, no threads, everything else real.
//!
//! `cargo run --release -p ossa-peer --example throughput`
#![allow(missing_docs)]

mod support;

use std::time::Duration;

use bytes::Bytes;
use ossa_peer::{Config, DataChannelInit, MessageKind};
use support::{Pair, certificate, now};

/// How long each size is measured.
const TIME: Duration = Duration::from_secs(3);
/// Bytes that the sender keeps queued.
const QUEUE: usize = 4 * 1024 * 1024;

fn main() {
    setup_time();
    for mtu in [1191, 16_300] {
        println!("largest SCTP packet: {mtu} bytes");
        for size in [64, 1024, 16 * 1024, 64 * 1024, 1024 * 1024] {
            measure(size, mtu);
        }
    }
}

fn setup_time() {
    const ROUNDS: u32 = 200;
    let certificates = [certificate(), certificate()];
    let start = now();
    for i in 0..ROUNDS {
        let configs = certificates.clone().map(Config::new);
        let (mut pair, _) = Pair::connect(configs, DataChannelInit::default(), i as u8);
        pair.wait_open();
    }
    println!("set-up, both ends: {:?}", start.elapsed() / ROUNDS);
    let start = now();
    for _ in 0..ROUNDS {
        certificate();
    }
    println!("certificate: {:?}", start.elapsed() / ROUNDS);
}

fn measure(size: usize, mtu: usize) {
    let configs = [certificate(), certificate()].map(|c| {
        let mut config = Config::new(c);
        config.sctp.max_mtu = mtu;
        config.sctp.mtu_discovery = mtu > 1191;
        config
    });
    let (mut pair, channel) = Pair::connect(configs, DataChannelInit::default(), 7);
    pair.wait_open();
    let message = Bytes::from(vec![7u8; size]);
    let warm = now();
    let mut start = warm;
    let mut warming = true;
    while start.elapsed() < TIME {
        if warming && warm.elapsed() > Duration::from_millis(500) {
            warming = false;
            start = now();
            pair.received[1] = (0, 0);
            pair.datagrams = 0;
        }
        let t = now();
        while pair.ends[0].channel(channel).is_some_and(|c| c.buffered_amount < QUEUE) {
            // A burst without looking at the state in between, as a binding hands over a batch.
            for _ in 0..64 {
                let data = message.clone();
                if pair.ends[0].send(t, channel, MessageKind::Binary, data).is_err() {
                    break;
                }
            }
        }
        pair.turn();
    }
    let seconds = start.elapsed().as_secs_f64();
    let (messages, bytes) = pair.received[1];
    println!(
        "{size:>8} B: {:>8.1} MB/s {:>10.0} messages/s {:>9.0} datagrams/s",
        bytes as f64 / seconds / 1e6,
        messages as f64 / seconds,
        pair.datagrams as f64 / seconds,
    );
}
