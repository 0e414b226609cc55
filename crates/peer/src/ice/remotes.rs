//! Which of the peer's candidates are checked: all of them, unless they are so many that those of use have to be chosen.
//!
//! The agent pairs each remote candidate with each address of ours, and where its checklist is full it drops the pairs of the lowest
//! priority: those of relays, which are the ones that work where nothing else does. A machine with a dozen container bridges
//! has a dozen addresses of no use to the peer, and two such machines fill any checklist. So the agent gets no more
//! candidates than it has room for.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use is::{Candidate as AgentCandidate, CandidateKind as AgentKind, IceAgent};

use super::path::of_agent;
use crate::sdp::CandidateProtocol;

/// Pairs that are checked. RFC 8445, section 6.1.2.5, suggests 100, which two hosts with ten addresses each exceed. With a check every
/// 5 ms each of these has had its turn after 2.5 s, well before checking is given up.
pub(super) const MAX_PAIRS: usize = 512;
/// Remote candidates that are remembered, relayed ones aside.
const MAX_DIRECT: usize = 128;
/// Relayed ones: a peer has one or two for each of its TURN servers.
const MAX_RELAYED: usize = 32;

/// An address, of UDP or of TCP.
pub(super) type Place = (CandidateProtocol, SocketAddr);

#[derive(Default)]
pub(super) struct Remotes {
    entries: Vec<Entry>,
    /// Candidates that there was no room to remember.
    refused: usize,
    told: bool,
}

struct Entry {
    candidate: AgentCandidate,
    /// An authenticated message has come from there.
    heard: bool,
    checked: bool,
    /// How often it has begun anew.
    renewed: usize,
}

impl Entry {
    fn place(&self) -> Place {
        (of_agent(self.candidate.proto()), self.candidate.addr())
    }

    fn is_relayed(&self) -> bool {
        self.candidate.kind() == AgentKind::Relayed
    }
}

impl Remotes {
    /// Gives back room for more candidates.
    pub(super) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
    }

    /// Remembers a candidate. False if there are too many.
    pub(super) fn add(&mut self, candidate: AgentCandidate) -> bool {
        let entry = Entry { candidate, heard: false, checked: false, renewed: 0 };
        let relayed = entry.is_relayed();
        let same_kind = self.entries.iter().filter(|e| e.is_relayed() == relayed).count();
        let fits = same_kind < if relayed { MAX_RELAYED } else { MAX_DIRECT };
        if fits {
            self.entries.push(entry);
        } else {
            self.refused += 1;
        }
        fits
    }

    /// The peer tells of a candidate once more: if the agent has given it up, it is tried again.
    pub(super) fn repeat(&self, place: Place, agent: &mut IceAgent) {
        for entry in self.entries.iter().filter(|e| e.checked && e.place() == place) {
            agent.add_remote_candidate(entry.candidate.clone());
        }
    }

    /// The connection to this place has to be opened again, for which its pairs begin anew. How many candidates the agent has given up.
    pub(super) fn renew(&mut self, place: Place, agent: &mut IceAgent) -> usize {
        let mut given_up = 0;
        for entry in self.entries.iter_mut().filter(|e| e.checked && e.place() == place) {
            if agent.invalidate_candidate(&entry.candidate) {
                given_up += 1;
                entry.renewed += 1;
                entry.candidate = another(&entry.candidate, entry.renewed);
                agent.add_remote_candidate(entry.candidate.clone());
            }
        }
        given_up
    }

    /// There is another agent, which knows none of them.
    pub(super) fn begin_anew(&mut self) {
        self.entries.iter_mut().for_each(|entry| (entry.checked, entry.renewed) = (false, 0));
    }

    pub(super) fn knows(&self, place: Place) -> bool {
        self.entries.iter().any(|e| e.place() == place)
    }

    /// The peer has proved to be at this address. True if it was not being checked.
    pub(super) fn hear(&mut self, place: Place) -> bool {
        let mut news = false;
        for entry in self.entries.iter_mut().filter(|e| e.place() == place) {
            entry.heard = true;
            news |= !entry.checked;
        }
        news
    }

    /// Gives the agent those that are of use with these addresses of ours, and takes the others away again.
    pub(super) fn choose(&mut self, bases: &[Place], agent: &mut IceAgent) {
        let wanted = self.wanted(bases);
        // Taken away first, so that the agent's checklist has room for what comes.
        for entry in self.entries.iter_mut().filter(|e| e.checked && !wanted.contains(&e.place())) {
            // The agent looks among our own candidates first: one that only repeats an address of ours stays.
            if !bases.contains(&entry.place()) {
                agent.invalidate_candidate(&entry.candidate);
                entry.checked = false;
            }
        }
        for entry in self.entries.iter_mut().filter(|e| !e.checked && wanted.contains(&e.place())) {
            agent.add_remote_candidate(entry.candidate.clone());
            entry.checked = true;
        }
    }

    /// As many as there is room for, those of most use first.
    fn wanted(&self, bases: &[Place]) -> HashSet<Place> {
        let mut wanted = HashSet::new();
        let mut pairs = 0;
        for place in self.by_use(bases) {
            let fits = |base: &&Place| base.0 == place.0 && base.1.is_ipv4() == place.1.is_ipv4();
            let partners = bases.iter().filter(fits).count().max(1);
            if wanted.contains(&place) {
                continue;
            }
            if pairs + partners <= MAX_PAIRS {
                pairs += partners;
                wanted.insert(place);
            }
        }
        wanted
    }

    /// First where the peer is known to be, then its relays, then what looks like a network that we share, then the best of each other
    /// kind, the second best of each, and so on: what the peer prefers is more likely to work, and no kind may push out another.
    fn by_use(&self, bases: &[Place]) -> Vec<Place> {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_by_key(|e| Reverse(e.candidate.prio()));
        let (mut hosts, mut others) = (0, 0);
        let rank = |entry: &Entry| {
            if entry.heard {
                return (0, 0);
            }
            if entry.is_relayed() {
                return (1, 0);
            }
            if bases.iter().any(|base| are_near(base.1.ip(), entry.candidate.addr().ip())) {
                return (2, 0);
            }
            let place = if entry.candidate.kind() == AgentKind::Host { &mut hosts } else { &mut others };
            *place += 1;
            (3, *place)
        };
        let mut ranked: Vec<_> =
            entries.iter().map(|e| e.place()).zip(entries.iter().copied().map(rank)).collect();
        ranked.sort_by_key(|(_, rank)| *rank);
        ranked.into_iter().map(|(place, _)| place).collect()
    }

    /// What to tell the application, once, if some are left out.
    pub(super) fn notice(&mut self, bases: usize) -> Option<String> {
        let checked = self.entries.iter().filter(|e| e.checked).count();
        let all = self.entries.len() + self.refused;
        if self.told || checked == all {
            return None;
        }
        self.told = true;
        Some(format!(
            "the peer has told {all} candidates so far; with {bases} addresses on this side only {checked} of them are tried, as no \
             more than {MAX_PAIRS} pairs are. Leave out interfaces that lead nowhere, on either side"
        ))
    }
}

/// The same candidate, told from the one that the agent was given before: it never forgets those it has given up, and finds the first
/// that is equal. The related address means nothing to it.
fn another(candidate: &AgentCandidate, number: usize) -> AgentCandidate {
    let line = candidate.to_sdp_string();
    let foundation = line.trim_start_matches("candidate:").split(' ').next().unwrap_or("1");
    let related = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), u16::try_from(number).unwrap_or(u16::MAX));
    AgentCandidate::from_parts(
        foundation.to_owned(),
        1,
        candidate.proto(),
        candidate.prio(),
        candidate.addr(),
        candidate.kind(),
        Some(related),
        None,
        None,
    )
}

/// Whether two addresses look like those of one network: the mask is not known here, so the usual ones are taken. The very same address
/// is that of a bridge which both machines have.
fn are_near(a: IpAddr, b: IpAddr) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a != b && a.octets()[..3] == b.octets()[..3],
        (IpAddr::V6(a), IpAddr::V6(b)) => a != b && a.octets()[..8] == b.octets()[..8],
        _ => false,
    }
}
