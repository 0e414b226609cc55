//! Follows the machine from network to network: addresses that come get a socket and are tried at once, those that go lose theirs.
//!
//! No timer of its own wakes a peer that is at rest: whenever its driver does more than to read, every few seconds because of consent, it looks, and sooner when
//! the path in use is suspected. The list is asked for once for all peers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ossa_peer::IceTransportPolicy;

use crate::core::Core;
use crate::gather;
use crate::gather::host::{self, Failures};
use crate::interfaces::{self, LocalAddress};
use crate::link::{Host, hosts};
use crate::roaming::USUAL;
use crate::shared::Shared;

/// How old the list may be when something seems to have happened.
const HASTY: Duration = Duration::from_millis(250);

/// How often an address is tried that can't be opened: for a second after it has come, one of IPv6 may not be used (RFC 4862, section 5.4).
const TRIES: u32 = 3;

/// Looks, if it is time, and follows.
pub(crate) fn look(shared: &Arc<Shared>, core: &mut Core, now: Instant) {
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
    let same = core.roaming.seen.replace(list.clone()).is_none_or(|seen| seen == list);
    if same && core.roaming.failed == 0 {
        return;
    }
    let open = hosts(core.links());
    let is_open = |hosts: &[Host], address: &LocalAddress| hosts.iter().any(|h| h.local().ip() == address.ip);
    // A machine that has lost its network has its loopback still, which leads nowhere.
    let leads_nowhere = |a: &LocalAddress| a.ip.is_loopback() && !core.config.selection().include_loopback;
    let mut wanted = interfaces::select(&list, &core.config.selection()).used;
    wanted.retain(|address| !leads_nowhere(address) || is_open(&open, address));
    let mut failures = Failures::new();
    let mut new = host::open(shared, core, now, &wanted, &mut failures);
    new.retain(|host| !open.iter().any(|known| known.local() == host.local()));
    for candidate in host::candidates(core, &new) {
        core.connection.add_late_candidate(now, candidate);
    }
    gather::tcp::follow(shared, core, now, &wanted);
    core.roaming.failed = if failures.is_empty() { 0 } else { core.roaming.failed + 1 };
    if core.roaming.failed >= TRIES {
        core.roaming.failed = 0;
        gather::tell_of(core, failures);
    }
}
