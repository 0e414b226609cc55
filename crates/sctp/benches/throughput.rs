//! How fast two associations on one core are. What they make of a path is simulated: `docs/congestion-control.md`.
//!
//! `cargo bench -p ossa-sctp` prints MB/s of payload (both ends together on one thread, memory to memory), and
//! messages per second.
#![expect(clippy::disallowed_methods, reason = "a benchmark needs a clock")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_sctp::{Association, Config, Received, SendOptions, State};
use support::pattern;

/// Seconds that this thread has computed, which other load on the machine does not change; where the system does
/// not tell, seconds that have passed.
fn seconds(start: Instant) -> f64 {
    let on_cpu = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = on_cpu.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    nanos.map_or_else(|| start.elapsed().as_secs_f64(), |nanos| nanos as f64 / 1e9)
}

/// Packets that are handed over at once, as a batch of datagrams is.
const BATCH: usize = 64 * 1024;

struct Pair {
    a: Association,
    b: Association,
    now: Instant,
    packets: u64,
}

impl Pair {
    fn new(config: &Config) -> Self {
        let now = Instant::now();
        let mut pair = Self {
            a: Association::new(config.clone(), [1; 32]),
            b: Association::new(config.clone(), [2; 32]),
            now,
            packets: 0,
        };
        pair.a.connect(now);
        pair.b.connect(now);
        while pair.exchange() > 0 {}
        assert_eq!((pair.a.state(), pair.b.state()), (State::Established, State::Established));
        pair
    }

    /// One batch in each direction, after `pair.now` was advanced as by a short path.
    fn exchange(&mut self) -> usize {
        self.now += Duration::from_micros(20);
        let mut moved = 0;
        for forward in [true, false] {
            let (from, to) = if forward { (&mut self.a, &mut self.b) } else { (&mut self.b, &mut self.a) };
            let mut batch = Vec::with_capacity(BATCH + 17_000);
            let mut ends = Vec::with_capacity(64);
            while batch.len() < BATCH {
                let Some(_) = from.poll_transmit(self.now, &mut batch) else { break };
                ends.push(batch.len());
            }
            let batch = Bytes::from(batch);
            let mut start = 0;
            for end in ends {
                to.handle_packet(self.now, batch.slice(start..end));
                start = end;
                moved += 1;
            }
        }
        for end in [&mut self.a, &mut self.b] {
            if end.poll_timeout().is_some_and(|at| at <= self.now) {
                end.handle_timeout(self.now);
            }
            while end.poll_event().is_some() {}
        }
        self.packets += moved as u64;
        moved
    }
}

fn memory(name: &str, config: &Config, size: usize, total: usize, streams: u16) {
    let mut pair = Pair::new(config);
    let message = pattern(size, 1);
    let count = total / size;
    let (mut sent, mut received) = (0, 0);
    let begin = Instant::now();
    let start = seconds(begin);
    while received < count {
        while sent < count && pair.a.metrics().buffered < 1 << 20 {
            let stream = sent as u16 % streams;
            pair.a
                .send(pair.now, stream, 53, message.clone(), SendOptions::default())
                .expect("the pair is connected");
            sent += 1;
        }
        pair.exchange();
        while let Some(Received::Message(message)) = pair.b.recv() {
            assert_eq!(message.payload.len(), size);
            received += 1;
        }
    }
    let seconds = seconds(begin) - start;
    println!(
        "{name:<44} {:>8.0} MB/s {:>10.0} messages/s {:>9.0} packets/s",
        total as f64 / seconds / 1e6,
        count as f64 / seconds,
        pair.packets as f64 / seconds
    );
}

fn main() {
    let small = Config { mtu_discovery: false, ..Config::default() };
    let whole = Config { path_inside_host: true, ..Config::default() };
    let data = Config { interleaving: false, ..whole.clone() };
    let checksums = Config { zero_checksum: false, ..whole.clone() };
    memory("64 KiB messages, 16,300 B packets", &whole, 65_536, 4 << 30, 1);
    memory("64 KiB messages, 16,300 B packets of chunks", &Config::default(), 65_536, 4 << 30, 1);
    memory("64 KiB messages, 16,300 B packets, DATA", &data, 65_536, 4 << 30, 1);
    memory("64 KiB messages, 16,300 B packets, CRC32c", &checksums, 65_536, 4 << 30, 1);
    memory("64 KiB messages, 1,191 B packets", &small, 65_536, 2 << 30, 1);
    memory("64 KiB messages, 1,191 B, 100 streams", &small, 65_536, 2 << 30, 100);
    memory("1 MiB / 4 messages, 16,300 B packets", &whole, 262_144, 4 << 30, 1);
    memory("64 B messages, 16,300 B packets", &whole, 64, 256 << 20, 1);
    memory("64 B messages, 1,191 B packets", &small, 64, 256 << 20, 1);
    memory("64 B messages, 1,000 streams", &Config::default(), 64, 256 << 20, 1000);
}
