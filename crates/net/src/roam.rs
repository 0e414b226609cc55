//! Follows the machine from network to network: addresses that come get a socket and are tried at once, those that go lose theirs.
//!
//! No timer of its own wakes a peer that is at rest: whenever its driver runs, every few seconds because of consent, it looks, and sooner when
//! the path in use is suspected. The list is asked for once for all peers. A relay that does not answer any more is replaced: its server may have
//! been started anew, or know us by an address that our NAT has given up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ossa_peer::{IceTransportPolicy, LocalCandidate, LocalCandidateKind};

use crate::core::Core;
use crate::gather::{self, bind_socket};
use crate::interfaces::{self, LocalAddress};
use crate::link::sockets;
use crate::shared::Shared;

/// How old the list may be: usually, and when something seems to have happened.
const USUAL: Duration = Duration::from_secs(2);
const HASTY: Duration = Duration::from_millis(250);

/// A server that is down is not asked for another allocation more often.
const RENEW: Duration = Duration::from_secs(3);

/// What a peer has seen of the machine's addresses.
#[derive(Default)]
pub(crate) struct Roaming {
    /// Host candidates have been gathered.
    pub(crate) enabled: bool,
    looked: Option<Instant>,
    /// When other allocations were last asked for.
    renewed: Option<Instant>,
    seen: Option<Arc<[LocalAddress]>>,
}

impl Roaming {
    /// Without any socket nothing else would wake the driver.
    pub(crate) fn deadline(&self, has_sockets: bool) -> Option<Instant> {
        self.looked.filter(|_| self.enabled && !has_sockets)?.checked_add(USUAL)
    }
}

/// Looks, if it is time, and follows.
pub(crate) fn look(shared: &Arc<Shared>, core: &mut Core, now: Instant) {
    let long_ago = |at: Instant| now.saturating_duration_since(at) >= RENEW;
    if core.connection.has_lost_its_relay() && core.roaming.renewed.is_none_or(long_ago) {
        core.roaming.renewed = Some(now);
        gather::renew_relays(shared, core);
    }
    let policy = core.config.connection.ice_transport_policy;
    if !core.roaming.enabled || core.is_closing() || policy == IceTransportPolicy::Relay {
        return;
    }
    let age = if core.connection.suspects_its_path() { HASTY } else { USUAL };
    if core.roaming.looked.is_some_and(|at| now.saturating_duration_since(at) < age) {
        return;
    }
    core.roaming.looked = Some(now);
    let Ok(list) = shared.runtime.interfaces.get_within(age) else { return };
    if core.roaming.seen.replace(list.clone()).is_none_or(|seen| seen == list) {
        return;
    }
    let wanted = interfaces::select(&list, &core.config.selection()).used;
    let open = sockets(core.links());
    for socket in &open {
        if !wanted.iter().any(|address| address.ip == socket.local().ip()) {
            core.remove_link(now, socket.local());
        }
    }
    for address in wanted {
        // A machine that has lost its network has its loopback still, which leads nowhere.
        let lost = address.ip.is_loopback() && !core.config.selection().include_loopback;
        if lost || open.iter().any(|socket| socket.local().ip() == address.ip) {
            continue;
        }
        if let Some(socket) = bind_socket(core, &address) {
            let (kind, addr) = (LocalCandidateKind::Host, socket.local());
            let candidate = LocalCandidate { kind, addr, base: addr, url: None, relay_protocol: None };
            core.connection.add_late_candidate(now, candidate);
        }
    }
}
