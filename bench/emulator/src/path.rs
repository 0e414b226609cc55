//! Both directions of the path, by the machine's clock.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::link::{Random, Wire};
use crate::settings::Settings;

/// From the first side to the second one, or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Forth = 0,
    Back = 1,
}

pub(crate) struct Path {
    start: Instant,
    /// Time never goes back, though readers are threads of their own.
    now: Duration,
    wires: [Wire; 2],
    counts: [Counts; 2],
    random: Random,
    /// Bytes of headers that the carrier does not see.
    without: usize,
}

/// What was seen since `stats` was asked for last.
#[derive(Default)]
struct Counts {
    packets_in: u64,
    packets_out: u64,
    bytes_out: u64,
    /// How long packets waited for the line, and how much later than they should they left, in microseconds.
    waited: Vec<u32>,
    late: Vec<u32>,
}

/// At a million packets (a minute and a half at 100 Mbit/s) the oldest figures are as good as the next ones.
const SAMPLES: usize = 1_000_000;

impl Path {
    pub(crate) fn new(settings: &Settings, without: usize) -> Self {
        let wire = || Wire::new(settings.link(without));
        Self {
            start: Instant::now(),
            now: Duration::ZERO,
            wires: [wire(), wire()],
            counts: Default::default(),
            random: Random::new(settings.seed),
            without,
        }
    }

    pub(crate) fn set(&mut self, settings: &Settings) {
        for wire in &mut self.wires {
            wire.link = settings.link(self.without);
        }
    }

    fn at(&mut self, instant: Instant) -> Duration {
        self.now = self.now.max(instant.saturating_duration_since(self.start));
        self.now
    }

    pub(crate) fn enter(&mut self, at: Instant, direction: Direction, route: usize, packet: &[u8]) {
        let now = self.at(at);
        self.counts[direction as usize].packets_in += 1;
        let wire = &mut self.wires[direction as usize];
        wire.enter(now, packet, route, Duration::ZERO, &mut self.random);
    }

    /// When something happens next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.wires.iter().filter_map(Wire::next).min().map(|at| self.start + at)
    }

    /// A packet that has come through, and its route.
    pub(crate) fn take(&mut self, now: Instant) -> Option<(usize, Bytes)> {
        let now = self.at(now);
        for (wire, counts) in self.wires.iter_mut().zip(&mut self.counts) {
            let Some(packet) = wire.take(now) else { continue };
            counts.packets_out += 1;
            counts.bytes_out += packet.bytes.len() as u64;
            if counts.waited.len() < SAMPLES {
                counts.waited.push(packet.waited.as_micros() as u32);
                counts.late.push((now - packet.arrived).as_micros() as u32);
            }
            return Some((packet.flow, packet.bytes));
        }
        None
    }

    /// What was seen since the last call, per direction.
    pub(crate) fn stats(&mut self) -> Value {
        let counts = std::mem::take(&mut self.counts);
        let [forth, back] = counts.map(Counts::show);
        json!({ "forth": forth, "back": back })
    }
}

impl Counts {
    fn show(mut self) -> Value {
        json!({
            "packetsIn": self.packets_in,
            "packetsOut": self.packets_out,
            "bytesOut": self.bytes_out,
            "waitedMs": [quantile(&mut self.waited, 0.5), quantile(&mut self.waited, 0.95)],
            "lateMs": [quantile(&mut self.late, 0.5), quantile(&mut self.late, 0.99)],
        })
    }
}

/// In milliseconds.
fn quantile(micros: &mut [u32], quantile: f64) -> f64 {
    if micros.is_empty() {
        return 0.0;
    }
    let index = ((micros.len() - 1) as f64 * quantile) as usize;
    f64::from(*micros.select_nth_unstable(index).1) / 1000.0
}
