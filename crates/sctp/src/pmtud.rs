//! Path MTU discovery (RFC 8899): probes of HEARTBEAT and PAD (RFC 4820), several sizes at a time.
//!
//! A probe that is lost costs nothing but itself: it is not data and does not count as congestion. For a peer that
//! does not say that it knows PAD, the padding is inside the HEARTBEAT.
//!
//! The search begins with the first bulk data. Most agents exchange small messages, and buffers below and beyond
//! that have once held a large packet tend to stay large: an idle connection should not pay for it.

use crate::config::Config;
use crate::time::{Nanos, SECOND, Time};

/// Sizes worth trying: what is left of common MTUs after IP, UDP and DTLS (and TURN): 1,500 bytes over IPv6 and
/// IPv4, jumbo frames, and between. Packets are made of 4-byte words.
const SIZES: [usize; 10] = [1300, 1348, 1400, 1412, 1432, 2200, 4300, 8800, 8900, 12_000];
/// What the first round tries, besides the maximum.
const FIRST_ROUND: [usize; 2] = [1400, 8800];
/// What takes at least this many packets of the base size is bulk data.
const BULK_PACKETS: usize = 4;
/// What passes where even the base does not: 576 bytes over IPv4 (RFC 791), less the headers of IP, UDP, DTLS 1.2 and TURN.
pub(crate) const FLOOR: usize = 500;
/// A size that got no answer this often is too large.
const ATTEMPTS: u32 = 3;
/// How long after a search the next one starts (RFC 8899 section 5.1.1, PMTU_RAISE_TIMER).
const RAISE: Nanos = 600 * SECOND;

/// A size being tried.
#[derive(Clone, Copy, Debug)]
struct Probe {
    size: usize,
    attempts: u32,
    nonce: u64,
    sent_at: Time,
    /// When it counts as lost; `None` = it is to be sent.
    deadline: Option<Time>,
}

/// The search for the largest packet.
#[derive(Debug)]
pub(crate) struct Pmtud {
    enabled: bool,
    base: usize,
    max: usize,
    current: usize,
    /// The smallest size known not to pass.
    ceiling: usize,
    probes: Vec<Probe>,
    raise: Option<Time>,
    waits_for: WaitsFor,
}

/// What the next search waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitsFor {
    /// Something that gains from larger packets: nothing of the kind has been sent yet.
    Bulk,
    /// Small packets that pass: the path has lost large ones.
    Progress,
    /// It is under way, or done.
    Nothing,
}

impl Pmtud {
    pub(crate) fn new(config: &Config) -> Self {
        let base = config.initial_mtu;
        Self {
            enabled: config.mtu_discovery && config.max_mtu > base,
            base,
            max: config.max_mtu & !3,
            current: base,
            ceiling: usize::MAX,
            probes: Vec::new(),
            raise: None,
            waits_for: WaitsFor::Bulk,
        }
    }

    /// The largest packet known to pass.
    pub(crate) fn current(&self) -> usize {
        self.current
    }

    /// Starts a search from what is known.
    fn start(&mut self) {
        if !self.enabled && self.current >= self.base {
            return;
        }
        self.ceiling = usize::MAX;
        self.raise = None;
        self.waits_for = WaitsFor::Nothing;
        if self.current < self.base {
            // First things first: an outage looks like a path that swallows all but the smallest packets.
            self.probes = vec![Probe::new(self.base)];
            return;
        }
        let first = FIRST_ROUND.into_iter().chain([self.max]);
        let (current, max) = (self.current, self.max);
        self.probes = first.filter(|size| *size > current && *size <= max).map(Probe::new).collect();
        self.probes.dedup_by_key(|probe| probe.size);
    }

    /// The path is another one, or the first.
    pub(crate) fn restart(&mut self) {
        self.current = self.base;
        self.probes.clear();
        self.raise = None;
        self.waits_for = WaitsFor::Bulk;
    }

    /// So many bytes wait to be sent a first time.
    pub(crate) fn on_queued(&mut self, bytes: usize) {
        if self.waits_for == WaitsFor::Bulk && bytes >= BULK_PACKETS * self.base {
            self.start();
        }
    }

    /// Large packets vanish: back to the base at once, and from there to the floor. True if that is a change.
    pub(crate) fn on_black_hole(&mut self) -> bool {
        let lower = if self.current > self.base { self.base } else { FLOOR.min(self.base) };
        if self.current == lower {
            return false;
        }
        self.current = lower;
        self.probes.clear();
        self.raise = None;
        self.waits_for = WaitsFor::Progress;
        true
    }

    /// Data was acknowledged.
    pub(crate) fn on_progress(&mut self) {
        if self.waits_for == WaitsFor::Progress {
            self.start();
        }
    }

    /// The size and nonce of a probe to send now.
    pub(crate) fn next_probe(
        &mut self,
        now: Time,
        rto: Nanos,
        nonce: impl FnOnce() -> u64,
    ) -> Option<(usize, u64)> {
        let probe = self.probes.iter_mut().find(|probe| probe.deadline.is_none())?;
        probe.nonce = nonce();
        probe.attempts += 1;
        probe.sent_at = now;
        probe.deadline = Some(now.after(rto));
        Some((probe.size, probe.nonce))
    }

    /// A probe was acknowledged. Returns its round trip time, and whether the MTU grew.
    pub(crate) fn on_ack(&mut self, now: Time, size: usize, nonce: u64) -> Option<(Nanos, bool)> {
        let probe = self.probes.iter().find(|probe| probe.nonce == nonce && probe.size == size)?;
        probe.deadline?;
        let rtt = now.since(probe.sent_at);
        let grew = size > self.current;
        self.current = self.current.max(size);
        self.probes.retain(|probe| probe.size > size);
        self.refine(now);
        Some((rtt, grew))
    }

    /// Runs the timers that are due.
    pub(crate) fn on_timeout(&mut self, now: Time) {
        if self.raise.is_some_and(|raise| raise <= now) {
            self.start();
        }
        if self.probes.is_empty() {
            return;
        }
        let mut ceiling = self.ceiling;
        self.probes.retain_mut(|probe| {
            let is_lost = probe.deadline.is_some_and(|deadline| deadline <= now);
            if is_lost && probe.attempts >= ATTEMPTS {
                ceiling = ceiling.min(probe.size);
                return false;
            }
            if is_lost {
                probe.deadline = None;
            }
            true
        });
        self.ceiling = ceiling;
        self.refine(now);
    }

    /// When a round is over, tries the sizes between what passes and what does not.
    fn refine(&mut self, now: Time) {
        if !self.probes.is_empty() {
            return;
        }
        let above = if self.enabled && self.current >= self.base { self.max } else { self.current };
        let limit = above.min(self.ceiling.saturating_sub(1));
        let current = self.current;
        self.probes =
            SIZES.into_iter().filter(|size| *size > current && *size <= limit).map(Probe::new).collect();
        if self.probes.is_empty() && self.current < self.max.max(self.base) {
            self.raise = Some(now.after(RAISE));
        }
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.probes.iter().filter_map(|probe| probe.deadline).chain(self.raise).min()
    }
}

impl Probe {
    fn new(size: usize) -> Self {
        Self { size, attempts: 0, nonce: 0, sent_at: Time::default(), deadline: None }
    }
}
