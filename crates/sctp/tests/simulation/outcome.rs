//! What a flow got, and the figures that are made of it.

use std::collections::HashSet;
use std::time::Duration;

/// What one flow got in the time that was measured.
#[derive(Clone, Debug, Default)]
pub struct FlowOutcome {
    /// Payload that arrived a first time, in bytes.
    pub bytes: u64,
    /// Messages that were delivered since the beginning.
    pub messages: u64,
    /// From the open association to the delivery of everything, for a flow that has an end.
    pub took: Option<Duration>,
    /// How long each packet waited at the bottleneck.
    pub waits: Vec<Duration>,
    /// Share of the bytes of user data that had been sent before.
    pub resent: f64,
}

impl FlowOutcome {
    /// A quantile of the time in the queue of the bottleneck, in milliseconds.
    pub fn queueing(&self, quantile: f64) -> f64 {
        let mut waits = self.waits.clone();
        if waits.is_empty() {
            return 0.0;
        }
        let index = ((waits.len() - 1) as f64 * quantile) as usize;
        let (_, wait, _) = waits.select_nth_unstable(index);
        wait.as_secs_f64() * 1000.0
    }
}

/// Jain's index of fairness: 1 when all got the same, 1/n when one got everything.
pub fn jain(flows: &[FlowOutcome]) -> f64 {
    let sum: f64 = flows.iter().map(|flow| flow.bytes as f64).sum();
    let squares: f64 = flows.iter().map(|flow| (flow.bytes as f64).powi(2)).sum();
    if squares == 0.0 { 0.0 } else { sum * sum / squares / flows.len() as f64 }
}

const DATA: u8 = 0;
const I_DATA: u8 = 64;

/// Calls `each(tsn, payload bytes)` for the user data in a packet.
fn user_data(packet: &[u8], mut each: impl FnMut(u32, u64)) {
    let mut rest = packet.get(12..).unwrap_or_default();
    while let [kind, _, high, low, value @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let header = if *kind == DATA { 16 } else { 20 };
        if let (DATA | I_DATA, [a, b, c, d, ..]) = (*kind, value) {
            each(u32::from_be_bytes([*a, *b, *c, *d]), len.saturating_sub(header) as u64);
        }
        rest = rest.get(len.next_multiple_of(4).max(4)..).unwrap_or_default();
    }
}

fn is_after(tsn: u32, other: u32) -> bool {
    tsn.wrapping_sub(other) as i32 > 0
}

/// Tells first transmissions from others, by what is on the wire.
#[derive(Debug, Default)]
pub struct Resent {
    highest: Option<u32>,
    bytes: u64,
    again: u64,
}

impl Resent {
    /// Looks at a packet that was sent.
    pub fn note(&mut self, packet: &[u8], measured: bool) {
        user_data(packet, |tsn, bytes| {
            let is_new = self.highest.is_none_or(|highest| is_after(tsn, highest));
            if is_new {
                self.highest = Some(tsn);
            }
            if measured {
                self.bytes += bytes;
                self.again += if is_new { 0 } else { bytes };
            }
        });
    }

    /// Share of what was sent that had been sent before.
    pub fn share(&self) -> f64 {
        self.again as f64 / self.bytes.max(1) as f64
    }
}

/// Tells what arrives a first time from what is there already.
#[derive(Debug, Default)]
pub struct Arrived {
    /// Everything up to here is there.
    cumulative: Option<u32>,
    beyond: HashSet<u32>,
}

impl Arrived {
    /// Bytes of user data in a packet that were not there before. The first packet of a stream must not be lost or
    /// overtaken, or what comes before it does not count.
    pub fn note(&mut self, packet: &[u8]) -> u64 {
        let mut fresh = 0;
        user_data(packet, |tsn, bytes| {
            let cumulative = self.cumulative.get_or_insert(tsn.wrapping_sub(1));
            if is_after(tsn, *cumulative) && self.beyond.insert(tsn) {
                fresh += bytes;
            }
            while self.beyond.remove(&cumulative.wrapping_add(1)) {
                *cumulative = cumulative.wrapping_add(1);
            }
        });
        fresh
    }
}
