//! One direction of a simulated path: a policer, a drop-tail queue, a line of a certain rate, and what happens behind it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

/// A small deterministic random generator (xorshift64*).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit.max(1)
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        ((self.next() >> 11) as f64 / (1u64 << 53) as f64) < probability
    }

    fn up_to(&mut self, limit: Duration) -> Duration {
        Duration::from_nanos(self.below(limit.as_nanos() as u64 + 1))
    }
}

/// Loss in bursts: the model of Gilbert and Elliott, with a good state that loses nothing and a bad one that loses all.
#[derive(Clone, Copy, Debug)]
pub struct Bursts {
    /// Share of packets that are lost in the long run.
    pub loss: f64,
    /// Mean number of packets that are lost in a row.
    pub length: f64,
}

/// A token bucket that drops what is above its rate, without a queue.
#[derive(Clone, Copy, Debug)]
pub struct Policer {
    /// Bytes per second.
    pub rate: u64,
    /// Bytes that may pass at once after a pause.
    pub bucket: u64,
}

/// How a direction of a path behaves.
#[derive(Clone, Debug)]
pub struct Link {
    pub delay: Duration,
    /// Bytes per second; 0 = unlimited.
    pub rate: u64,
    /// Bytes that may wait for the line.
    pub queue: u64,
    pub loss: f64,
    pub bursts: Option<Bursts>,
    pub policer: Option<Policer>,
    /// Packets are delayed by up to this much more, in order.
    pub jitter: Duration,
    /// Share of packets that are delayed by up to `reorder_by` more.
    pub reorder: f64,
    pub reorder_by: Duration,
    pub duplicate: f64,
    pub corrupt: f64,
    /// Larger packets vanish.
    pub mtu: usize,
    /// From when to when nothing passes.
    pub outages: Vec<(Duration, Duration)>,
    /// Bytes that every packet has on the line besides its own (IP, UDP, DTLS).
    pub overhead: u64,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(1),
            rate: 0,
            queue: 1 << 20,
            loss: 0.0,
            bursts: None,
            policer: None,
            jitter: Duration::ZERO,
            reorder: 0.0,
            reorder_by: Duration::ZERO,
            duplicate: 0.0,
            corrupt: 0.0,
            mtu: usize::MAX,
            outages: Vec::new(),
            overhead: 65,
        }
    }
}

/// A packet on its way.
#[derive(Clone, Debug)]
pub struct Packet {
    pub bytes: Bytes,
    /// Whose it is, where several flows share a link.
    pub flow: usize,
    /// How long it waited for the line.
    pub waited: Duration,
    /// When it was through.
    pub arrived: Duration,
    entered: Duration,
    size: u64,
    /// Delay besides that of the link.
    extra: Duration,
    copies: u32,
}

/// Packets under way in one direction.
#[derive(Debug)]
pub struct Wire {
    pub link: Link,
    waiting: VecDeque<Packet>,
    /// Bytes that wait or are on the line.
    backlog: u64,
    /// Bytes on the line, and when it will be free.
    on_line: u64,
    line_free: Duration,
    under_way: BTreeMap<(Duration, u64), Packet>,
    last_arrival: Duration,
    counter: u64,
    is_bad: bool,
    /// Bytes that the policer lets pass as of `refilled`.
    tokens: f64,
    refilled: Duration,
    /// Bytes of packets that did not get through.
    pub lost: u64,
}

impl Wire {
    pub fn new(link: Link) -> Self {
        Self {
            tokens: link.policer.map_or(0.0, |policer| policer.bucket as f64),
            link,
            waiting: VecDeque::new(),
            backlog: 0,
            on_line: 0,
            line_free: Duration::ZERO,
            under_way: BTreeMap::new(),
            last_arrival: Duration::ZERO,
            counter: 0,
            is_bad: false,
            refilled: Duration::ZERO,
            lost: 0,
        }
    }

    /// Takes a packet of a flow whose own way adds `extra` to the delay.
    pub fn enter(&mut self, now: Duration, packet: &[u8], flow: usize, extra: Duration, random: &mut Random) {
        self.advance(now);
        let size = packet.len() as u64 + self.link.overhead;
        if self.vanishes(now, packet.len(), random) || !self.conforms(now, size) || !self.has_room(size) {
            self.lost += packet.len() as u64;
            return;
        }
        let copies = if random.chance(self.link.duplicate) { 2 } else { 1 };
        let mut extra = extra;
        if random.chance(self.link.reorder) {
            extra += random.up_to(self.link.reorder_by);
        }
        if !self.link.jitter.is_zero() {
            extra += random.up_to(self.link.jitter);
        }
        let mut bytes = packet.to_vec();
        if random.chance(self.link.corrupt) {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << random.below(8);
        }
        let bytes = Bytes::from(bytes);
        self.backlog += size;
        self.waiting.push_back(Packet {
            bytes,
            flow,
            waited: Duration::ZERO,
            arrived: now,
            entered: now,
            size,
            extra,
            copies,
        });
        self.advance(now);
    }

    fn vanishes(&mut self, now: Duration, len: usize, random: &mut Random) -> bool {
        let link = &self.link;
        let is_out = link.outages.iter().any(|(from, to)| (*from..*to).contains(&now));
        if is_out || len > link.mtu || random.chance(link.loss) {
            return true;
        }
        if let Some(Bursts { loss, length }) = link.bursts {
            let changes = if self.is_bad { 1.0 / length } else { loss / (1.0 - loss) / length };
            self.is_bad ^= random.chance(changes);
        }
        self.is_bad && link.bursts.is_some()
    }

    fn conforms(&mut self, now: Duration, size: u64) -> bool {
        let Some(Policer { rate, bucket }) = self.link.policer else { return true };
        let earned = (now - self.refilled).as_secs_f64() * rate as f64;
        self.tokens = (self.tokens + earned).min(bucket as f64);
        self.refilled = now;
        let conforms = self.tokens >= size as f64;
        if conforms {
            self.tokens -= size as f64;
        }
        conforms
    }

    fn has_room(&self, size: u64) -> bool {
        self.link.rate == 0 || self.backlog + size <= self.link.queue
    }

    /// Puts on the line what its turn has come for.
    fn advance(&mut self, now: Duration) {
        while self.line_free <= now {
            self.backlog -= std::mem::take(&mut self.on_line);
            let Some(mut packet) = self.waiting.pop_front() else { break };
            let starts = self.line_free.max(packet.entered);
            packet.waited = starts - packet.entered;
            self.on_line = packet.size;
            self.line_free = match self.link.rate {
                0 => starts,
                rate => starts + Duration::from_secs_f64(packet.size as f64 / rate as f64),
            };
            let mut arrives = self.line_free + self.link.delay + packet.extra;
            if !self.link.jitter.is_zero() {
                arrives = arrives.max(self.last_arrival);
                self.last_arrival = arrives;
            }
            packet.arrived = arrives;
            for _ in 0..packet.copies {
                self.counter += 1;
                self.under_way.insert((arrives, self.counter), packet.clone());
            }
        }
    }

    /// When something happens here next.
    pub fn next(&self) -> Option<Duration> {
        let arrival = self.under_way.keys().next().map(|(at, _)| *at);
        let line = (!self.waiting.is_empty()).then_some(self.line_free);
        arrival.into_iter().chain(line).min()
    }

    /// The next packet that has arrived.
    pub fn take(&mut self, now: Duration) -> Option<Packet> {
        self.advance(now);
        let entry = self.under_way.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }
}
