//! Host candidates over TCP (RFC 6544): one that opens connections and one that accepts them for each local address, as far as they are
//! asked for.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use ossa_peer::{LocalCandidate, LocalCandidateKind};

use super::host::{self, Failures, Registered};
use crate::core::Core;
use crate::interfaces::LocalAddress;
use crate::link::{Link, tcp_bases};
use crate::listen::{TcpPort, listen_in_range};
use crate::shared::Shared;
use crate::tcp::{self, ACTIVE_PORT, TcpBase};

/// Opens what there is not yet, closes what is of addresses that are gone, and adds the candidates.
pub(super) fn host_candidates(
    shared: &Arc<Shared>,
    core: &mut Core,
    now: Instant,
    generation: u32,
    addresses: &[LocalAddress],
    failures: &mut Failures,
) {
    let mut told = Vec::new();
    close_gone(core, now, addresses);
    for address in addresses {
        if opens(core)
            && let Some(base) = active(shared, core, address)
        {
            host::add(core, now, generation, LocalCandidateKind::TcpActive, base.local(), base.local());
        }
        if core.config.tcp.passive {
            match passive(shared, core, address) {
                Ok(Some(base)) => add_passive(core, now, generation, base.local(), &mut told),
                Ok(None) => {}
                Err(text) => failures.push((address.ip, format!("cannot open a TCP port: {text}"))),
            }
        }
    }
}

/// The machine has other addresses now: connections are opened from those as well. That one is accepted at them the peer can't know
/// without signaling, so that is left to the next gathering.
pub(crate) fn follow(shared: &Arc<Shared>, core: &mut Core, now: Instant, addresses: &[LocalAddress]) {
    close_gone(core, now, addresses);
    if !opens(core) {
        return;
    }
    for address in addresses {
        if known(core, address, true).is_none()
            && let Some(base) = active(shared, core, address)
        {
            let (addr, base, kind) = (base.local(), base.local(), LocalCandidateKind::TcpActive);
            let candidate = LocalCandidate { kind, addr, base, url: None, relay_protocol: None };
            core.connection.add_late_candidate(now, candidate);
        }
    }
}

/// A lite side sends no checks, for which connections are opened.
fn opens(core: &Core) -> bool {
    core.config.tcp.active && !core.config.connection.ice.lite
}

fn close_gone(core: &mut Core, now: Instant, addresses: &[LocalAddress]) {
    let gone = |base: &Arc<TcpBase>| !addresses.iter().any(|a| a.ip == base.local().ip());
    for base in tcp_bases(core.links()).into_iter().filter(gone) {
        core.remove_link(now, base.local());
    }
}

fn add_passive(core: &mut Core, now: Instant, generation: u32, local: SocketAddr, told: &mut Vec<IpAddr>) {
    let addresses = match core.config.listen {
        Some(_) => host::addresses(core, local, told),
        None => vec![local],
    };
    for addr in addresses {
        host::add(core, now, generation, LocalCandidateKind::TcpPassive, addr, local);
    }
}

fn known(core: &Core, address: &LocalAddress, active: bool) -> Option<Arc<TcpBase>> {
    tcp_bases(core.links()).into_iter().find(|b| b.local().ip() == address.ip && b.is_active() == active)
}

/// `None` if the peer was closed in the meantime.
fn active(shared: &Arc<Shared>, core: &mut Core, address: &LocalAddress) -> Option<Arc<TcpBase>> {
    if let Some(base) = known(core, address, true) {
        return Some(base);
    }
    let base = Arc::new(TcpBase::new(SocketAddr::new(address.ip, ACTIVE_PORT)));
    if !core.add_link(Link::Tcp(base.clone())) {
        return None;
    }
    tcp::start_active(shared, &base, address.with_port(0));
    Some(base)
}

/// `None` if the peer was closed in the meantime.
fn passive(
    shared: &Arc<Shared>,
    core: &mut Core,
    address: &LocalAddress,
) -> Result<Option<Arc<TcpBase>>, String> {
    if let Some(base) = known(core, address, false) {
        return Ok(Some(base));
    }
    let port = tcp_port(shared, core, address)?;
    let base = Arc::new(TcpBase::new(port.local()));
    if !core.add_link(Link::Tcp(base.clone())) {
        return Ok(None);
    }
    let owner = Registered { shared: Arc::downgrade(shared), base: Some(Arc::downgrade(&base)) };
    core.add_port(port, Arc::new(owner));
    Ok(Some(base))
}

/// A port of its own, or the shared one, which is opened together with that of UDP.
fn tcp_port(shared: &Arc<Shared>, core: &Core, address: &LocalAddress) -> Result<Arc<TcpPort>, String> {
    if core.config.listen.is_some() {
        let port = core.shared_ports.tcp.iter().find(|port| port.local().ip() == address.ip);
        return port.cloned().ok_or_else(|| "the shared port is not open at this address".to_owned());
    }
    let range = core.config.tcp_port_range;
    let port = listen_in_range(&shared.executor, range, |port| address.with_port(port));
    port.map(Arc::new).map_err(|error| error.to_string())
}
