//! Host candidates over TCP (RFC 6544): one that opens connections and one that accepts them for each local address, as far as they are
//! asked for.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Weak};
use std::time::Instant;

use ossa_peer::{LocalCandidate, LocalCandidateKind};

use crate::core::Core;
use crate::interfaces::LocalAddress;
use crate::link::{Link, tcp_bases};
use crate::listen::{Owner, listen_in_range};
use crate::shared::Shared;
use crate::tcp::{self, ACTIVE_PORT, TcpBase};

/// Opens what there is not yet, closes what is of addresses that are gone, and adds the candidates. The errors, with the address.
pub(super) fn host_candidates(
    shared: &Arc<Shared>,
    core: &mut Core,
    now: Instant,
    generation: u32,
    addresses: &[LocalAddress],
) -> Vec<(LocalAddress, String)> {
    let mut errors = Vec::new();
    let gone = |base: &Arc<TcpBase>| !addresses.iter().any(|a| a.ip == base.local().ip());
    for base in tcp_bases(core.links()).into_iter().filter(gone) {
        core.remove_link(now, base.local());
    }
    for address in addresses {
        if core.config.tcp.active {
            let base = active(shared, core, address);
            add(core, now, generation, LocalCandidateKind::TcpActive, base);
        }
        if core.config.tcp.passive {
            match passive(shared, core, address) {
                Ok(base) => add(core, now, generation, LocalCandidateKind::TcpPassive, base),
                Err(error) => errors.push((address.clone(), format!("cannot open a TCP port: {error}"))),
            }
        }
    }
    errors
}

fn add(core: &mut Core, now: Instant, generation: u32, kind: LocalCandidateKind, base: Option<Arc<TcpBase>>) {
    let Some(base) = base else { return };
    let addr = base.local();
    let candidate = LocalCandidate { kind, addr, base: addr, url: None, relay_protocol: None };
    core.connection.add_local_candidate(now, generation, candidate);
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

fn passive(
    shared: &Arc<Shared>,
    core: &mut Core,
    address: &LocalAddress,
) -> std::io::Result<Option<Arc<TcpBase>>> {
    if let Some(base) = known(core, address, false) {
        return Ok(Some(base));
    }
    let range = core.config.tcp_port_range;
    let port = Arc::new(listen_in_range(&shared.executor, range, |port| address.with_port(port))?);
    let base = Arc::new(TcpBase::new(port.local()));
    if !core.add_link(Link::Tcp(base.clone())) {
        return Ok(None);
    }
    let owner = Arc::new(Registered { shared: Arc::downgrade(shared), base: Arc::downgrade(&base) });
    core.add_port(port, owner);
    Ok(Some(base))
}

/// A peer at a port of its own.
struct Registered {
    shared: Weak<Shared>,
    base: Weak<TcpBase>,
}

impl Owner for Registered {
    fn take_stream(&self, _local: SocketAddr, remote: SocketAddr, stream: TcpStream, input: Vec<u8>) {
        let (Some(shared), Some(base)) = (self.shared.upgrade(), self.base.upgrade()) else { return };
        let served = tcp::accept(shared.clone(), base, remote, stream, input);
        shared.executor.spawn(shared.clone().watch(served));
    }
}
