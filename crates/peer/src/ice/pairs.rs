//! Bookkeeping per candidate pair: which addresses are known to be the peer's, round-trip times, counters.
//!
//! The ICE agent keeps its checklist to itself, so this is learnt from the STUN messages that pass by.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use is::stun::TransId;

use super::path::Path;
use super::remotes::MAX_PAIRS;

/// Pairs that are tracked: all that this and the previous generation check. Further pairs are ignored.
const MAX_TRACKED: usize = 2 * (MAX_PAIRS + MAX_REFLEXIVE);
/// Pairs of one generation with an address that the peer has not told of. The checks of an honest one have few such sources.
pub(super) const MAX_REFLEXIVE: usize = 128;
/// Requests whose answers are waited for: a second's worth of checks. Older ones are forgotten, which costs a sample of the
/// round-trip time.
const MAX_TRANSACTIONS: usize = 256;

/// Without a check for so long an address that the peer was seen at is one of the past: those in use are checked every few seconds.
const SILENT: Duration = Duration::from_secs(30);

/// How long checks of a peer that does not answer ours count as a sign of life.
const ASKING: Duration = Duration::from_secs(10);

/// One 5-tuple of one generation.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub id: u32,
    pub generation: u32,
    pub path: Path,
    /// An authenticated STUN message has come this way: datagrams from there are the peer's.
    pub authenticated: bool,
    /// We send no checks, so those of the peer have to do for its answers.
    pub lite: bool,
    /// Made by a check from an address that the peer had not told of.
    pub reflexive: bool,
    /// Its TCP connection has ended.
    pub closed: bool,
    pub nominated: bool,
    pub created: Instant,
    pub last_response: Option<Instant>,
    pub last_request: Option<Instant>,
    /// Our checks since the last answer, and when the first of them was sent.
    pub unanswered: u32,
    pub asked: Option<Instant>,
    pub requests_sent: u64,
    pub requests_received: u64,
    pub responses_sent: u64,
    pub responses_received: u64,
    pub consent_requests_sent: u64,
    pub rtt: Option<Duration>,
    pub total_rtt: Duration,
    pub packets_sent: u64,
    pub packets_received: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub last_sent: Option<Instant>,
    pub last_received: Option<Instant>,
}

impl Pair {
    /// When the peer last gave a sign of life. Its own authenticated checks are one as well as its answers, though not for long: some
    /// stacks stop answering for a while under load but keep asking, but one that only asks does not hear us.
    pub(crate) fn last_heard(&self) -> Instant {
        let answered = self.last_answer();
        self.last_request.map_or(answered, |asked| answered.max(asked.min(answered + ASKING)))
    }

    /// When the peer last answered, which is its consent to be sent to (RFC 7675 section 5.1).
    pub(crate) fn last_answer(&self) -> Instant {
        let answered = self.last_response.unwrap_or(self.created);
        self.last_request.filter(|_| self.lite).map_or(answered, |asked| answered.max(asked))
    }
}

struct Transaction {
    id: TransId,
    pair: u32,
    sent: Instant,
}

/// All pairs.
#[derive(Default)]
pub(crate) struct PairTable {
    pairs: Vec<Pair>,
    transactions: VecDeque<Transaction>,
    next_id: u32,
    /// Index of the pair that the last datagram belonged to: nearly always that of the next one too.
    last: usize,
}

impl PairTable {
    /// Gives back room for more pairs.
    pub(super) fn shrink(&mut self) {
        self.pairs.shrink_to_fit();
        self.transactions.shrink_to_fit();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter()
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Pair> {
        self.pairs.iter().find(|p| p.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut Pair> {
        self.pairs.iter_mut().find(|p| p.id == id)
    }

    /// The pair with these addresses in this generation, made if needed and possible.
    pub(crate) fn entry(&mut self, now: Instant, generation: u32, path: Path) -> Option<&mut Pair> {
        let found = self.pairs.iter().position(|p| p.generation == generation && p.path == path);
        let index = match found {
            Some(index) => index,
            None if self.pairs.len() >= MAX_TRACKED => return None,
            None => {
                self.next_id = self.next_id.wrapping_add(1);
                self.pairs.push(new_pair(self.next_id, generation, path, now));
                self.pairs.len() - 1
            }
        };
        self.pairs[index].closed = false;
        Some(&mut self.pairs[index])
    }

    /// A TCP connection that the peer had opened has ended: it will not come from there again. `used` is the pair in use.
    pub(crate) fn close(&mut self, path: Path, used: Option<u32>) {
        self.pairs.iter_mut().filter(|p| p.path == path).for_each(|p| p.closed = true);
        self.retain(|p| !p.closed || Some(p.id) == used);
    }

    /// Forgets addresses that the peer was seen at and that it has left. True if there were any.
    pub(crate) fn forget_silent(&mut self, generation: u32, used: Option<u32>, now: Instant) -> bool {
        let before = self.pairs.len();
        let heard = |p: &Pair| now.saturating_duration_since(p.last_request.unwrap_or(p.created)) < SILENT;
        self.retain(|p| p.generation != generation || !p.reflexive || Some(p.id) == used || heard(p));
        self.pairs.len() < before
    }

    fn retain(&mut self, stays: impl FnMut(&Pair) -> bool) {
        self.pairs.retain(stays);
        self.last = 0;
    }

    /// Pairs of this generation are ones from which we send no checks, or not.
    pub(crate) fn set_lite(&mut self, generation: u32, lite: bool) {
        self.pairs.iter_mut().filter(|p| p.generation == generation).for_each(|p| p.lite = lite);
    }

    /// Whether a check from there may make a new pair: the agent itself sets no limit to peer-reflexive candidates.
    pub(crate) fn admits(&self, generation: u32, path: Path) -> bool {
        let of_generation = self.pairs.iter().filter(|p| p.generation == generation);
        of_generation.clone().any(|p| p.path == path)
            || of_generation.filter(|p| p.reflexive).nth(MAX_REFLEXIVE - 1).is_none()
    }

    /// A check is being sent.
    pub(crate) fn request_sent(&mut self, now: Instant, pair: u32, id: TransId, consent: bool) {
        if self.transactions.len() >= MAX_TRANSACTIONS {
            self.transactions.pop_front();
        }
        self.transactions.push_back(Transaction { id, pair, sent: now });
        if let Some(pair) = self.get_mut(pair) {
            pair.requests_sent += 1;
            pair.unanswered += 1;
            pair.asked = pair.asked.or(Some(now));
            pair.consent_requests_sent += u64::from(consent);
        }
    }

    /// An authenticated answer has come.
    pub(crate) fn response_received(&mut self, now: Instant, id: TransId) {
        let Some(index) = self.transactions.iter().position(|t| t.id == id) else { return };
        let Some(transaction) = self.transactions.remove(index) else { return };
        let Some(pair) = self.get_mut(transaction.pair) else { return };
        let rtt = now.saturating_duration_since(transaction.sent);
        pair.responses_received += 1;
        pair.rtt = Some(rtt);
        pair.total_rtt += rtt;
        pair.last_response = Some(now);
        pair.unanswered = 0;
        pair.asked = None;
        pair.authenticated = true;
    }

    /// A datagram other than STUN has come. Returns whether its sender is known to be the peer.
    pub(crate) fn datagram_received(&mut self, now: Instant, path: Path, len: usize) -> bool {
        let fits = |p: &Pair| p.authenticated && p.path == path;
        if !self.pairs.get(self.last).is_some_and(fits) {
            match self.pairs.iter().position(fits) {
                Some(index) => self.last = index,
                None => return false,
            }
        }
        let pair = &mut self.pairs[self.last];
        pair.packets_received += 1;
        pair.bytes_received += len as u64;
        pair.last_received = Some(now);
        true
    }

    /// Forgets the pairs of generations before this one.
    pub(crate) fn forget_before(&mut self, generation: u32) {
        self.retain(|p| p.generation >= generation);
    }

    /// Forgets the pairs of one generation.
    pub(crate) fn forget(&mut self, generation: u32) {
        self.retain(|p| p.generation != generation);
    }
}

fn new_pair(id: u32, generation: u32, path: Path, now: Instant) -> Pair {
    Pair {
        id,
        generation,
        path,
        authenticated: false,
        lite: false,
        reflexive: false,
        closed: false,
        nominated: false,
        created: now,
        last_response: None,
        last_request: None,
        unanswered: 0,
        asked: None,
        requests_sent: 0,
        requests_received: 0,
        responses_sent: 0,
        responses_received: 0,
        consent_requests_sent: 0,
        rtt: None,
        total_rtt: Duration::ZERO,
        packets_sent: 0,
        packets_received: 0,
        bytes_sent: 0,
        bytes_received: 0,
        last_sent: None,
        last_received: None,
    }
}
