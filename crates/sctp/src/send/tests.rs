//! Peers that acknowledge in unusual ways.

use bytes::Bytes;

use super::{SendTerms, Sender};
use crate::chunk::sack::{self, Sack};
use crate::config::Config;
use crate::options::{Reliability, SendOptions};
use crate::packet::{Chunks, CommonHeader, PacketBuilder};
use crate::time::{MILLISECOND, SECOND, Time};

const FIRST: u32 = u32::MAX - 2;

impl Sender {
    /// Messages and chunks in memory.
    pub(crate) fn kept(&self) -> usize {
        self.messages.len() + self.ring.len()
    }
}

struct Bench {
    sender: Sender,
    now: Time,
}

impl Bench {
    fn new(interleaving: bool) -> Self {
        let terms = SendTerms { initial_tsn: FIRST, peer_window: 1 << 20, interleaving, forward_tsn: true };
        Self { sender: Sender::new(&Config::default(), terms), now: Time::default().after(SECOND) }
    }

    fn push(&mut self, len: usize, reliability: Reliability) {
        let options = SendOptions { unordered: false, reliability };
        self.sender.push(self.now, 0, 53, Bytes::from(vec![7; len]), options);
    }

    /// Sends all that may be sent; kind, offset of the TSN from the first, and payload length of every chunk.
    fn transmit(&mut self) -> Vec<(u8, u32, usize)> {
        let mut chunks = Vec::new();
        loop {
            let mut out = Vec::new();
            let header = CommonHeader { source_port: 1, destination_port: 2, tag: 3, checksum: 0 };
            let mut packet = PacketBuilder::new(&mut out, header, 1191);
            self.sender.write_chunks(self.now, &mut packet);
            if packet.finish(true).is_none() {
                return chunks;
            }
            chunks.extend(Chunks::of(&out).map(|chunk| {
                let tsn = u32::from_be_bytes(*chunk.value.first_chunk().expect("a TSN comes first"));
                (chunk.kind, tsn.wrapping_sub(FIRST), chunk.value.len())
            }));
        }
    }

    /// Acknowledges everything before the offset, and the given offsets beyond.
    fn ack(&mut self, before: u32, gaps: &[(u32, u32)], window: u32) -> bool {
        let cumulative = FIRST.wrapping_add(before).wrapping_sub(1);
        let gaps: Vec<(u16, u16)> = gaps
            .iter()
            .map(|(first, last)| ((first - before + 1) as u16, (last - before + 1) as u16))
            .collect();
        let mut value = Vec::new();
        sack::write(&mut value, cumulative, window, &gaps, &[]);
        let sack = Sack::parse(&value).expect("a SACK");
        self.sender.on_sack(self.now, &sack)
    }

    fn wait(&mut self, by: u64) {
        self.now = self.now.after(by);
        self.sender.on_timeout(self.now);
    }
}

/// A message that is sent once, under way on a path that is left, and others that overtake it on the next one.
fn overtaken() -> Bench {
    let mut bench = Bench::new(false);
    bench.push(100, Reliability::Reliable);
    bench.transmit();
    bench.wait(MILLISECOND);
    bench.ack(1, &[], 1 << 20);
    bench.push(100, Reliability::MaxRetransmits(0));
    assert_eq!(bench.transmit().len(), 1);
    bench.sender.on_path_change(&Config::default(), bench.now);
    for _ in 0..10 {
        bench.push(100, Reliability::Reliable);
    }
    assert_eq!(bench.transmit().len(), 10);
    bench.wait(MILLISECOND);
    assert!(bench.ack(1, &[(2, 11)], 1 << 20));
    bench.wait(10 * MILLISECOND);
    bench
}

#[test]
fn a_message_that_is_overtaken_on_a_new_path_is_not_given_up() {
    let mut bench = overtaken();
    bench.ack(12, &[], 1 << 20);
    bench.wait(SECOND);
    assert_eq!((bench.sender.counters.messages_abandoned, bench.sender.counters.retransmits), (0, 0));
}

#[test]
fn a_message_that_went_down_with_its_path_is_given_up_soon() {
    let mut bench = overtaken();
    assert_eq!(bench.sender.counters.messages_abandoned, 0);
    bench.wait(30 * MILLISECOND);
    assert_eq!(bench.sender.counters.messages_abandoned, 1);
}

#[test]
fn chunks_that_a_receiver_takes_back_are_sent_again() {
    let mut bench = Bench::new(false);
    for _ in 0..5 {
        bench.push(1000, Reliability::Reliable);
    }
    assert_eq!(bench.transmit().len(), 5);
    bench.now = bench.now.after(20 * MILLISECOND);
    assert!(bench.ack(0, &[(1, 4)], 1 << 20));
    assert_eq!(bench.transmit().len(), 1, "the missing one");
    bench.now = bench.now.after(20 * MILLISECOND);
    // It forgot the others.
    assert!(bench.ack(1, &[], 1 << 20));
    bench.wait(5 * SECOND);
    let mut again = bench.transmit();
    bench.now = bench.now.after(20 * MILLISECOND);
    assert!(bench.ack(2, &[], 1 << 20));
    again.extend(bench.transmit());
    let again: Vec<u32> = again.into_iter().map(|(_, tsn, _)| tsn).collect();
    assert_eq!(again, [1, 2, 3, 4]);
}

#[test]
fn given_up_chunks_that_a_receiver_takes_back_are_never_sent_empty() {
    for interleaving in [false, true] {
        let mut bench = Bench::new(interleaving);
        bench.push(30_000, Reliability::MaxRetransmits(0));
        let sent = bench.transmit();
        let count = sent.len() as u32;
        bench.now = bench.now.after(20 * MILLISECOND);
        assert!(bench.ack(0, &[(1, count - 1)], 1 << 20));
        bench.transmit();
        bench.now = bench.now.after(20 * MILLISECOND);
        assert!(bench.ack(1, &[], 1 << 20));
        for _ in 0..10 {
            bench.wait(5 * SECOND);
            let chunks = bench.transmit();
            assert!(chunks.iter().all(|(kind, _, _)| matches!(kind, 192 | 194)), "{chunks:?}");
        }
        assert_eq!(bench.sender.in_flight(), 0);
    }
}

#[test]
fn nonsense_acknowledgements_change_nothing() {
    let mut bench = Bench::new(false);
    for _ in 0..5 {
        bench.push(100, Reliability::Reliable);
    }
    bench.transmit();
    let flight = bench.sender.in_flight();
    assert!(!bench.ack(1000, &[], 1 << 20), "beyond what was sent");
    assert!(!bench.ack(u32::MAX - 5, &[], 1 << 20), "before the first");
    assert_eq!(bench.sender.in_flight(), flight);
    assert!(bench.ack(0, &[(3, 30_000)], 1 << 20), "a gap block that ends beyond is cut");
    assert!(bench.ack(0, &[(3, 2)], 1 << 20), "a gap block that ends before it begins is skipped");
    assert!(bench.ack(5, &[], 1 << 20));
    assert!(bench.sender.is_idle() && bench.sender.in_flight() == 0);
}

#[test]
fn a_closed_window_is_probed_with_one_chunk_at_growing_intervals() {
    let mut bench = Bench::new(false);
    bench.push(1000, Reliability::Reliable);
    bench.transmit();
    bench.now = bench.now.after(20 * MILLISECOND);
    assert!(bench.ack(1, &[], 0));
    for _ in 0..3 {
        bench.push(1000, Reliability::Reliable);
    }
    assert!(bench.transmit().is_empty());
    let mut intervals = Vec::new();
    for _ in 0..6 {
        let due = bench.sender.timeout().expect("a timer runs");
        intervals.push(due.since(bench.now) / MILLISECOND);
        bench.wait(due.since(bench.now));
        assert_eq!(bench.transmit(), [(0, 1, 1012)]);
        assert!(bench.ack(1, &[], 0), "the receiver has no room for it");
    }
    assert!(intervals.is_sorted() && intervals[5] <= 4000, "{intervals:?}");
    assert!(bench.ack(2, &[], 1 << 20));
    assert_eq!(bench.transmit().len(), 2);
}
