//! Collects what is known about why a connection does not come about.

use std::net::{IpAddr, SocketAddr};

use super::Connection;
use crate::config::IceTransportPolicy;
use crate::diagnosis::{Diagnosis, KindCounts};
use crate::ice::{CandidateInfo, CandidateKind, IceCandidateError};
use crate::states::{DtlsState, IceState};

/// Faults that are remembered: an explanation of more than that explains nothing.
const MAX_FAULTS: usize = 16;

/// What went wrong since the present ICE generation began.
#[derive(Default)]
pub(super) struct Faults {
    errors: Vec<IceCandidateError>,
    pub(super) names_not_found: u32,
}

impl Faults {
    pub(super) fn note(&mut self, error: &IceCandidateError) {
        // Each socket asks the same server, and hears the same.
        let same = |known: &IceCandidateError| {
            (known.code, &known.url, &known.text) == (error.code, &error.url, &error.text)
        };
        if self.errors.len() < MAX_FAULTS && !self.errors.iter().any(same) {
            self.errors.push(error.clone());
        }
    }
}

impl Connection {
    /// What is known about the set-up, and what stands in its way.
    pub fn diagnosis(&self) -> Diagnosis {
        let generation = self.ice.newest();
        let number = generation.map(|g| g.number);
        let pairs = || self.ice.pairs.iter().filter(|pair| Some(pair.generation) == number);
        let local = generation.map(|g| count(g.locals.iter().map(|entry| &entry.info))).unwrap_or_default();
        let remote = generation.map(|g| count(&g.remotes)).unwrap_or_default();
        Diagnosis {
            relay_only: self.config.ice_transport_policy == IceTransportPolicy::Relay,
            gathered: generation.is_some_and(|g| g.gathering_done),
            described: generation.is_some_and(|g| g.started()),
            local,
            remote,
            names_not_found: self.faults.names_not_found,
            checks_sent: pairs().map(|pair| pair.requests_sent).sum(),
            checks_received: pairs().map(|pair| pair.requests_received).sum(),
            answers_received: pairs().map(|pair| pair.responses_received).sum(),
            had_path: self.ice.route().is_some(),
            ice: if self.closed { IceState::Closed } else { self.shown.ice },
            dtls: if self.closed { DtlsState::Closed } else { self.shown.dtls },
            dtls_error: self.dtls.error().map(|error| error.message.clone()),
            sctp: self.sctp_state,
            faults: self.faults.errors.clone(),
        }
    }
}

fn count<'a>(candidates: impl IntoIterator<Item = &'a CandidateInfo>) -> KindCounts {
    let mut counts = KindCounts::default();
    for candidate in candidates {
        match candidate.kind {
            CandidateKind::Host => counts.host += 1,
            CandidateKind::ServerReflexive | CandidateKind::PeerReflexive => counts.reflexive += 1,
            CandidateKind::Relay => counts.relay += 1,
        }
        counts.ipv6 += usize::from(matches!(candidate.addr, SocketAddr::V6(_)));
        counts.inner += usize::from(is_inner(candidate.addr.ip()));
    }
    counts
}

/// Whether an address is one of many networks, so that it leads nowhere from outside.
fn is_inner(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            // 100.64.0.0/10 is between a carrier's NAT and those of its customers (RFC 6598).
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_link_local() || ip.is_loopback() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}
