//! Candidates: ours from gathering, theirs from signaling and name resolution.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use tracing::trace;

use super::Connection;
use crate::error::Error;
use crate::event::Event;
use crate::ice::{
    CandidateKind, Fault, IceCandidateError, LocalCandidate, LocalCandidateKind, ResolveCandidate,
    is_reachable,
};
use crate::jsep::{CandidateInit, RemoteCandidate};
use crate::sdp::{Candidate, CandidateAddress};

/// Names looked up at the same time; candidates beyond that are ignored. A browser has one per interface.
const MAX_UNRESOLVED: usize = 32;

impl Connection {
    /// A local candidate of the given generation. Candidates of generations gone by, duplicates, and what
    /// `iceTransportPolicy` excludes are ignored.
    pub fn add_local_candidate(&mut self, now: Instant, generation: u32, candidate: LocalCandidate) {
        if self.is_over() || !self.ice.accepts(&candidate) {
            return;
        }
        let Some(owner) = self.ice.generation_mut(generation) else { return };
        let info = owner.add_local(now, candidate.clone()).map(|entry| entry.info.clone());
        let notice = owner.notice();
        self.tell_of_choice(notice);
        let Some(info) = info else { return };
        // What servers know belongs to the generation that asked them.
        if !matches!(candidate.kind, LocalCandidateKind::ServerReflexive | LocalCandidateKind::Relay) {
            self.ice.share(now, &candidate);
        }
        if let Some(place) = self.session.add_local_candidate(&info.candidate, &info.ufrag) {
            self.events.push_back(Event::IceCandidate {
                generation,
                descriptions: self.descriptions,
                candidate: info.candidate,
                mid: place.mid,
                m_line_index: place.m_line_index,
                ufrag: info.ufrag,
                url: info.url,
                relay_protocol: info.relay_protocol,
                local_description: self.local_text(),
            });
        }
        self.kick(now);
    }

    /// An address that this machine has got since it gathered. The peer is not told: it learns of it by the checks from there, so that a
    /// connection can move without signaling.
    pub fn add_late_candidate(&mut self, now: Instant, candidate: LocalCandidate) {
        if self.is_over() || !self.ice.accepts(&candidate) {
            return;
        }
        self.ice.share(now, &candidate);
        self.ice.kick(now);
        self.update(now);
    }

    /// Whether data has stopped so suddenly that something may have happened to the network.
    pub fn suspects_its_path(&self) -> bool {
        self.ice.is_suspicious()
    }

    /// Whether the peer is missed, on a path that leads through a TURN server of ours, which may have forgotten us.
    pub fn doubts_its_relay(&self) -> bool {
        self.ice.is_in_doubt() && self.uses_relay()
    }

    /// Whether the path in use leads through a TURN server of ours and does not answer any more.
    pub fn has_lost_its_relay(&self) -> bool {
        self.ice.is_silent() && self.uses_relay()
    }

    /// Whether the path in use leads through a TURN server of ours, or did until the server has forgotten us. The local end of it there.
    pub fn relay_in_use(&self) -> Option<SocketAddr> {
        let pair = self.shown.pair.as_ref().filter(|pair| pair.local.kind == CandidateKind::Relay)?;
        self.ice.can_send().then_some(pair.local.addr)
    }

    fn uses_relay(&self) -> bool {
        self.relay_in_use().is_some()
    }

    /// There is another allocation in place of one that was lost, and the peer has had the time to answer from there. If it has not, it sends
    /// to where nobody is and lets nothing else pass: only signaling helps, see [`Event::PathLost`].
    pub fn relay_replaced(&mut self) {
        if !self.is_over() && self.ice.is_cut_off() {
            self.events.push_back(Event::PathLost);
        }
    }

    /// The generations that candidates are of use for: the one in use, and the one that an ICE restart is negotiating.
    pub fn ice_generations(&self) -> [Option<u32>; 2] {
        self.ice.numbers()
    }

    /// No more local candidates in this generation.
    pub fn gathering_done(&mut self, now: Instant, generation: u32) {
        let Some(owner) = self.ice.generation_mut(generation).filter(|g| !g.gathering_done) else { return };
        owner.gathering_done = true;
        owner.last_news = now;
        let ufrag = owner.local.ufrag.clone();
        if let Some(place) = self.session.end_of_local_candidates(&ufrag) {
            self.events.push_back(Event::EndOfCandidates {
                generation,
                descriptions: self.descriptions,
                mid: place.mid,
                m_line_index: place.m_line_index,
                ufrag,
                local_description: self.local_text(),
            });
        }
        self.update(now);
    }

    /// A STUN or TURN server has failed: passed on as [`Event::IceCandidateError`].
    pub fn gathering_error(&mut self, error: IceCandidateError) {
        if !self.is_over() {
            self.faults.note(&error);
            self.events.push_back(Event::IceCandidateError(error));
        }
    }

    /// The local socket (or relay) with this address is gone, and all candidates based on it.
    pub fn remove_local_candidate(&mut self, now: Instant, base: SocketAddr) {
        self.ice.remove_local(now, base);
        self.update(now);
    }

    /// `addIceCandidate()`. A candidate with a host name becomes [`Event::ResolveCandidate`].
    ///
    /// # Errors
    /// As W3C 4.4.2: `TypeError`, `InvalidStateError`, `OperationError`.
    pub fn add_ice_candidate(&mut self, now: Instant, candidate: &CandidateInit) -> Result<(), Error> {
        self.intact()?;
        match self.session.add_remote_candidate(candidate)? {
            RemoteCandidate::Add(candidate) => self.add_remote_candidate(now, candidate),
            RemoteCandidate::EndOfCandidates => {
                if let Some(generation) = self.ice.newest_mut() {
                    generation.end_of_candidates(now);
                }
            }
            RemoteCandidate::Kept => {}
            RemoteCandidate::Ignored(why) => trace!(why, "remote candidate ignored"),
        }
        self.kick(now);
        Ok(())
    }

    /// The answer to [`Event::ResolveCandidate`]: the addresses found for its name. Unknown tokens are ignored.
    pub fn add_resolved_candidate(&mut self, now: Instant, token: u32, addresses: &[IpAddr]) {
        let Some(candidate) = self.unresolved.remove(&token) else { return };
        self.faults.names_not_found += u32::from(addresses.is_empty());
        for ip in addresses {
            self.pair_remote(now, &candidate, *ip);
        }
        self.kick(now);
    }

    pub(super) fn add_remote_candidate(&mut self, now: Instant, candidate: Candidate) {
        match &candidate.address {
            CandidateAddress::Ip(ip) => {
                let ip = *ip;
                self.pair_remote(now, &candidate, ip);
            }
            // Where nothing can be sent to, it does not matter.
            CandidateAddress::Fqdn(_) if !is_reachable(&candidate) => {}
            CandidateAddress::Fqdn(_) if self.unresolved.len() >= MAX_UNRESOLVED => {
                trace!(%candidate, "too many names to look up");
            }
            CandidateAddress::Fqdn(name) => {
                self.last_token = self.last_token.wrapping_add(1);
                let token = self.last_token;
                self.events
                    .push_back(Event::ResolveCandidate(ResolveCandidate { token, name: name.clone() }));
                self.unresolved.insert(token, candidate);
            }
        }
    }

    fn pair_remote(&mut self, now: Instant, candidate: &Candidate, ip: IpAddr) {
        let mid = self.mid();
        let Some(generation) = self.ice.newest_mut() else { return };
        let belongs = match (&candidate.ufrag, &generation.remote) {
            (Some(ufrag), Some(remote)) => *ufrag == remote.ufrag,
            _ => true,
        };
        if belongs {
            generation.add_remote(now, candidate, ip, &mid);
            let notice = generation.notice();
            self.ice.clear_failed();
            self.tell_of_choice(notice);
        }
    }

    /// Not all of the peer's candidates are checked. There is no server to blame, so the URL is empty.
    fn tell_of_choice(&mut self, notice: Option<String>) {
        if let Some(text) = notice {
            let url = String::new();
            let fault = Fault::Local;
            self.gathering_error(IceCandidateError {
                address: None,
                port: None,
                url,
                code: 701,
                text,
                fault,
            });
        }
    }

    fn local_text(&self) -> String {
        self.session.local_description().map(|d| d.sdp).unwrap_or_default()
    }
}
