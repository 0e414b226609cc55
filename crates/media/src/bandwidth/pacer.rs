//! Holds packets back so that they leave at the rate that the path carries, and sends the bursts that try more.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::probe::Probe;

/// How much quicker than the target a frame leaves: an encoder makes it all at once, and large key frames should not wait long.
const FACTOR: f64 = 2.5;
/// What waits leaves within this time, whatever the target says: frames that are older are of no use.
const LONGEST_WAIT: f64 = 2.0;
/// What leaves at once, as timers are no finer.
const BURST: Duration = Duration::from_millis(5);
/// Bursts that wait for their turn: the outcome of one asks for the next.
const MOST_BURSTS: usize = 4;
/// A burst that found no packets for this long is given up.
const PROBE_PATIENCE: Duration = Duration::from_secs(2);

/// What leaves first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Leaves at once: it is little, and waiting is heard.
    Audio,
    /// Packets that are sent again: somebody waits for them.
    Repair,
    /// All others.
    Video,
}

/// A packet that leaves.
#[derive(Debug, PartialEq, Eq)]
pub struct Paced<T> {
    /// What was handed in.
    pub packet: T,
    /// Of which burst it is a part.
    pub probe: Option<u32>,
    /// How long it has waited.
    pub waited: Duration,
}

/// As many bytes wait as may; the packet comes back.
#[derive(Debug, PartialEq, Eq)]
pub struct PacerFull<T>(pub T);

#[derive(Debug)]
struct Waiting<T> {
    packet: T,
    size: usize,
    since: Instant,
}

#[derive(Debug)]
struct Burst {
    probe: Probe,
    asked: Instant,
    /// When its first packet left, and what has left since.
    begun: Option<Instant>,
    packets: u32,
    bytes: usize,
}

/// Packets that wait to be sent.
#[derive(Debug)]
pub struct Pacer<T> {
    queues: [VecDeque<Waiting<T>>; 3],
    bytes: usize,
    most_bytes: usize,
    rate: f64,
    /// Bits that have left too early, as of `last`.
    debt: f64,
    last: Option<Instant>,
    bursts: VecDeque<Burst>,
}

impl<T> Pacer<T> {
    /// At most `most_bytes` wait. Packets leave at 2.5 times `rate`, in bits per second.
    pub fn new(rate: u64, most_bytes: usize) -> Self {
        Self {
            queues: Default::default(),
            bytes: 0,
            most_bytes,
            rate: rate.max(1) as f64,
            debt: 0.0,
            last: None,
            bursts: VecDeque::new(),
        }
    }

    /// Sets the rate, in bits per second.
    pub fn set_rate(&mut self, now: Instant, rate: u64) {
        self.settle(now);
        self.rate = rate.max(1) as f64;
    }

    /// Bytes that wait.
    pub fn queued_bytes(&self) -> usize {
        self.bytes
    }

    /// Takes a packet of `size` bytes.
    ///
    /// # Errors
    /// As many bytes wait as may.
    pub fn push(
        &mut self,
        now: Instant,
        priority: Priority,
        size: usize,
        packet: T,
    ) -> Result<(), PacerFull<T>> {
        if self.bytes + size > self.most_bytes {
            return Err(PacerFull(packet));
        }
        self.bytes += size;
        self.queues[priority as usize].push_back(Waiting { packet, size, since: now });
        Ok(())
    }

    /// Sends a burst as soon as there are packets for it, and those before it have left. Of more than four the oldest goes.
    pub fn probe(&mut self, now: Instant, probe: Probe) {
        if self.bursts.len() == MOST_BURSTS {
            self.bursts.pop_front();
        }
        self.bursts.push_back(Burst { probe, asked: now, begun: None, packets: 0, bytes: 0 });
    }

    /// The next packet that leaves now.
    pub fn poll(&mut self, now: Instant) -> Option<Paced<T>> {
        self.settle(now);
        if self.next_at()? > now {
            return None;
        }
        let waiting = self.queues.iter_mut().find_map(VecDeque::pop_front)?;
        self.bytes -= waiting.size;
        let waited = now.saturating_duration_since(waiting.since);
        Some(Paced { packet: waiting.packet, probe: self.leave(now, waiting.size), waited })
    }

    /// Bytes of padding that a burst lacks now, because nothing waits: a packet of at most this size may be made and is then
    /// told by [`padded`](Self::padded). Who can't make any leaves it.
    pub fn poll_padding(&mut self, now: Instant) -> Option<usize> {
        self.settle(now);
        let burst = self.bursts.front().filter(|_| self.bytes == 0)?;
        (burst.next_at() <= now).then(|| burst.probe.least_bytes.saturating_sub(burst.bytes).max(200))
    }

    /// Padding of this size leaves. Tells the burst that it is a part of.
    pub fn padded(&mut self, now: Instant, size: usize) -> Option<u32> {
        self.leave(now, size)
    }

    /// When to poll again.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let burst = self.bursts.front().filter(|burst| burst.begun.is_some()).map(Burst::next_at);
        self.next_at().into_iter().chain(burst).min()
    }

    /// When the next packet leaves.
    fn next_at(&self) -> Option<Instant> {
        let [audio, repair, video] = &self.queues;
        if let Some(first) = audio.front() {
            return Some(first.since);
        }
        let since = [repair, video].into_iter().filter_map(|queue| Some(queue.front()?.since)).min()?;
        if let Some(burst) = self.bursts.front() {
            return Some(burst.next_at());
        }
        let last = self.last.unwrap_or(since);
        if self.debt <= 0.0 {
            return Some(since.min(last));
        }
        Some(last + Duration::from_secs_f64(self.debt / self.pace()))
    }

    /// Bits per second at which packets leave.
    fn pace(&self) -> f64 {
        (self.rate * FACTOR).max(self.bytes as f64 * 8.0 / LONGEST_WAIT)
    }

    /// Lets time pass.
    fn settle(&mut self, now: Instant) {
        let passed = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.last = Some(self.last.map_or(now, |last| last.max(now)));
        let pace = self.pace();
        self.debt = (self.debt - pace * passed.as_secs_f64()).max(-pace * BURST.as_secs_f64());
        self.bursts.retain(|burst| now.saturating_duration_since(burst.asked) <= PROBE_PATIENCE);
    }

    /// A packet leaves. Tells the burst that it is a part of.
    fn leave(&mut self, now: Instant, size: usize) -> Option<u32> {
        self.debt += size as f64 * 8.0;
        let burst = self.bursts.front_mut()?;
        burst.begun.get_or_insert(now);
        burst.packets += 1;
        burst.bytes += size;
        let id = burst.probe.id;
        if burst.packets >= burst.probe.least_packets && burst.bytes >= burst.probe.least_bytes {
            self.bursts.pop_front();
            // The burst is not paid for by those behind it.
            self.debt = self.debt.min(0.0);
        }
        Some(id)
    }
}

impl Burst {
    /// When its next packet leaves.
    fn next_at(&self) -> Instant {
        let begun = self.begun.unwrap_or(self.asked);
        begun + Duration::from_secs_f64(self.bytes as f64 * 8.0 / self.probe.rate.max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    const MS: Duration = Duration::from_millis(1);

    /// All that leaves until nothing waits, with the time since `now` in milliseconds.
    fn drain<T>(pacer: &mut Pacer<T>, now: Instant) -> Vec<(f64, Paced<T>)> {
        let mut out = Vec::new();
        let mut at = now;
        loop {
            while let Some(paced) = pacer.poll(at) {
                out.push(((at - now).as_secs_f64() * 1e3, paced));
            }
            match pacer.poll_timeout() {
                Some(next) if pacer.queued_bytes() > 0 => at = at.max(next) + Duration::from_micros(1),
                _ => return out,
            }
        }
    }

    #[test]
    fn a_large_frame_leaves_at_two_and_a_half_times_the_rate() {
        let now = origin();
        let mut pacer = Pacer::new(1_000_000, 1 << 20);
        for at in 0..26 {
            pacer.push(now, Priority::Video, 1_250, at).expect("there is room");
        }
        let left = drain(&mut pacer, now);
        assert_eq!(
            left.iter().map(|(_, paced)| paced.packet).collect::<Vec<_>>(),
            (0..26).collect::<Vec<_>>()
        );
        let (last, _) = left.last().expect("packets");
        assert!((95.0..105.0).contains(last), "{last}");
    }

    #[test]
    fn audio_never_waits_and_repairs_go_before_video() {
        let now = origin();
        let mut pacer = Pacer::new(100_000, 1 << 20);
        for at in 0..10 {
            pacer.push(now, Priority::Video, 1_250, at).expect("there is room");
        }
        assert_eq!(pacer.poll(now).map(|paced| paced.packet), Some(0));
        pacer.push(now, Priority::Repair, 1_250, 50).expect("there is room");
        pacer.push(now, Priority::Audio, 100, 99).expect("there is room");
        assert_eq!(pacer.poll(now).map(|paced| paced.packet), Some(99));
        assert_eq!(pacer.poll(now), None);
        let next = pacer.poll_timeout().expect("packets wait");
        assert_eq!(pacer.poll(next + MS).map(|paced| paced.packet), Some(50));
    }

    #[test]
    fn what_waits_has_a_bound_and_comes_back() {
        let now = origin();
        let mut pacer = Pacer::new(100_000, 2_000);
        assert_eq!(pacer.push(now, Priority::Video, 1_250, 'a'), Ok(()));
        assert_eq!(pacer.push(now, Priority::Video, 1_250, 'b'), Err(PacerFull('b')));
        assert_eq!(pacer.queued_bytes(), 1_250);
    }

    #[test]
    fn nothing_waits_longer_than_two_seconds() {
        let now = origin();
        let mut pacer = Pacer::new(30_000, 1 << 20);
        for at in 0..400 {
            pacer.push(now, Priority::Video, 1_250, at).expect("there is room");
        }
        // The pace falls with what waits, so the last packets take a little longer.
        let left = drain(&mut pacer, now);
        let (at, _) = left[350];
        assert!(at < 4_500.0, "{at}");
    }

    #[test]
    fn a_burst_leaves_at_its_own_rate_and_is_filled_up_with_padding() {
        let now = origin();
        let mut pacer = Pacer::new(300_000, 1 << 20);
        pacer.probe(now, Probe { id: 7, rate: 1_000_000, least_packets: 5, least_bytes: 6_000 });
        for at in 0..3 {
            pacer.push(now, Priority::Video, 1_250, at).expect("there is room");
        }
        let left = drain(&mut pacer, now);
        assert!(left.iter().all(|(_, paced)| paced.probe == Some(7)));
        assert!((19.0..21.0).contains(&left[2].0), "{}", left[2].0);
        assert_eq!(pacer.poll_padding(now + 20 * MS), None);
        let mut at = now;
        let mut padded = 0;
        while let Some(next) = pacer.poll_timeout() {
            at = at.max(next) + MS;
            let size = pacer.poll_padding(at).expect("the burst goes on").min(1_200);
            assert_eq!(pacer.padded(at, size), Some(7));
            padded += size;
        }
        assert!((2_250..2_650).contains(&padded), "{padded}");
        assert_eq!(pacer.poll_padding(at + MS), None);
    }
}
