//! Two associations over a link that the fuzzer controls: what is delivered on a reliable ordered stream is a prefix
//! of what was sent, whatever is lost, repeated, reordered or damaged, and whatever the applications do.
#![no_main]
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use ossa_sctp::{Association, Config, Event, Received, Reliability, SendOptions};

#[derive(Arbitrary, Debug)]
enum Operation {
    SendOrdered { length: u16 },
    SendLossy { stream: u8, length: u16, retransmits: u8, unordered: bool },
    SendTimed { stream: u8, length: u16, milliseconds: u8 },
    Reset { stream: u8 },
    Priority { stream: u8, priority: u16 },
    Transmit { most: u8 },
    Deliver,
    Drop,
    Repeat,
    Swap,
    Damage { at: u16, with: u8 },
    Wait { milliseconds: u16 },
    Receive,
    PathChange,
    Shutdown,
}

struct Side {
    association: Association,
    /// On the way to this side.
    arriving: VecDeque<Vec<u8>>,
    sent: u32,
    received: u32,
}

impl Side {
    fn new(seed: u8) -> Self {
        let association = Association::new(Config::default(), [seed; 32]);
        Self { association, arriving: VecDeque::new(), sent: 0, received: 0 }
    }

    /// Stream 0 carries a counter, on its reliable ordered messages only.
    fn check(&mut self, other_sent: u32) {
        while let Some(received) = self.association.recv() {
            let Received::Message(message) = received else { continue };
            if message.stream == 0 && message.ppid == 51 {
                let counter =
                    u32::from_be_bytes(message.payload[..4].try_into().expect("four bytes were sent"));
                assert_eq!(counter, self.received, "lost or out of order");
                assert!(counter < other_sent, "delivered before it was sent");
                self.received += 1;
            }
        }
    }
}

fuzz_target!(|operations: Vec<(bool, Operation)>| {
    let mut now = Instant::now();
    let mut sides = [Side::new(1), Side::new(2)];
    for side in &mut sides {
        side.association.connect(now);
    }
    for (which, operation) in operations {
        let (me, other) = (usize::from(which), usize::from(!which));
        let [ref mut a, ref mut b] = sides;
        let (side, peer) = if which { (b, a) } else { (a, b) };
        match operation {
            Operation::SendOrdered { length } => {
                let mut payload = side.sent.to_be_bytes().to_vec();
                payload.resize(4 + usize::from(length), 7);
                let options = SendOptions { unordered: false, reliability: Reliability::Reliable };
                if side.association.send(now, 0, 51, payload.into(), options).is_ok() {
                    side.sent += 1;
                }
            }
            Operation::SendLossy { stream, length, retransmits, unordered } => {
                let options =
                    SendOptions { unordered, reliability: Reliability::MaxRetransmits(retransmits.into()) };
                let payload = Bytes::from(vec![3; usize::from(length)]);
                let _ = side.association.send(now, u16::from(stream).max(1), 53, payload, options);
            }
            Operation::SendTimed { stream, length, milliseconds } => {
                let lifetime = Duration::from_millis(milliseconds.into());
                let options =
                    SendOptions { unordered: false, reliability: Reliability::MaxLifetime(lifetime) };
                let payload = Bytes::from(vec![4; usize::from(length)]);
                let _ = side.association.send(now, u16::from(stream).max(1), 53, payload, options);
            }
            Operation::Reset { stream } => {
                let _ = side.association.reset_stream(u16::from(stream).max(1));
            }
            Operation::Priority { stream, priority } => {
                side.association.set_stream_priority(stream.into(), priority);
            }
            Operation::Transmit { most } => {
                for _ in 0..most {
                    let mut packet = Vec::new();
                    if side.association.poll_transmit(now, &mut packet).is_none() {
                        break;
                    }
                    peer.arriving.push_back(packet);
                }
            }
            Operation::Deliver => {
                if let Some(packet) = side.arriving.pop_front() {
                    side.association.handle_packet(now, packet.into());
                }
            }
            Operation::Drop => drop(side.arriving.pop_front()),
            Operation::Repeat => {
                if let Some(packet) = side.arriving.front().cloned() {
                    side.arriving.push_back(packet);
                }
            }
            Operation::Swap => {
                if side.arriving.len() > 1 {
                    side.arriving.swap(0, 1);
                }
            }
            Operation::Damage { at, with } => {
                // DTLS authenticates every packet: damage that SCTP sees comes from a hostile peer, whose messages
                // may be anything. So a damaged packet is a copy that carries a wrong tag.
                if let Some(packet) = side.arriving.front() {
                    let mut damaged = packet.clone();
                    let length = damaged.len();
                    damaged[usize::from(at) % length] ^= with;
                    damaged[4] ^= 0x80;
                    side.association.handle_packet(now, damaged.into());
                }
            }
            Operation::Wait { milliseconds } => {
                now += Duration::from_millis(milliseconds.into());
                for timed in [&mut *side, &mut *peer] {
                    if timed.association.poll_timeout().is_some_and(|at| at <= now) {
                        timed.association.handle_timeout(now);
                    }
                }
            }
            Operation::Receive => {}
            Operation::PathChange => side.association.on_path_change(now, false),
            Operation::Shutdown => side.association.shutdown(now),
        }
        while let Some(event) = sides[me].association.poll_event() {
            if event == Event::Restarted {
                return; // an old INIT came again and was followed through: the counters start anew
            }
        }
        let other_sent = sides[other].sent;
        sides[me].check(other_sent);
    }
});
