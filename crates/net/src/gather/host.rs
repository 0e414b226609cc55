//! Host candidates over UDP: from a socket of the peer's own for each local address, or from a port that it shares with others.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::{Arc, Weak};
use std::time::Instant;

use ossa_peer::{LocalCandidate, LocalCandidateKind};

use crate::core::Core;
use crate::crash;
use crate::datagrams::Received;
use crate::interfaces::LocalAddress;
use crate::link::{Host, Link, hosts};
use crate::listen::{Owner, Ports, UdpPort};
use crate::shared::Shared;
use crate::socket::bind_in_range;
use crate::tcp::{self, TcpBase};

/// What could not be opened, and why.
pub(crate) type Failures = Vec<(IpAddr, String)>;

/// One socket for each local address: those there are, and new ones for addresses that have come since. The sockets of
/// addresses that are gone are closed.
pub(crate) fn open(
    shared: &Arc<Shared>,
    core: &mut Core,
    now: Instant,
    wanted: &[LocalAddress],
    failures: &mut Failures,
) -> Vec<Host> {
    let (mut kept, gone): (Vec<_>, Vec<_>) =
        hosts(core.links()).into_iter().partition(|host| wanted.iter().any(|a| a.ip == host.local().ip()));
    for host in gone {
        core.remove_link(now, host.local());
    }
    for address in wanted {
        if kept.iter().any(|host| host.local().ip() == address.ip) {
            continue;
        }
        let opened = match core.config.listen.as_ref().map(|listen| listen.port) {
            Some(port) => join(shared, core, address.with_port(port)),
            None => own(core, address),
        };
        match opened {
            Ok(host) => kept.extend(host),
            Err(text) => failures.push((address.ip, format!("cannot open a UDP socket: {text}"))),
        }
    }
    kept
}

/// Adds the candidates of these sockets.
pub(super) fn add_candidates(core: &mut Core, now: Instant, generation: u32, hosts: &[Host]) {
    for candidate in candidates(core, hosts) {
        core.connection.add_local_candidate(now, generation, candidate);
    }
}

/// The candidates of these sockets. Those of a shared port are told as its configuration says.
pub(crate) fn candidates(core: &Core, hosts: &[Host]) -> Vec<LocalCandidate> {
    let mut told = Vec::new();
    let mut candidates = Vec::new();
    for host in hosts {
        let base = host.local();
        let addresses = match host {
            Host::Own(_) => vec![base],
            Host::Shared(..) => addresses(core, base, &mut told),
        };
        let kind = LocalCandidateKind::Host;
        let candidate = |addr| LocalCandidate { kind, addr, base, url: None, relay_protocol: None };
        candidates.extend(addresses.into_iter().map(candidate));
    }
    candidates
}

/// By which addresses a shared port is told. Those that are announced lead to the first local address of their family, which is the one
/// of the default route.
pub(super) fn addresses(core: &Core, local: SocketAddr, told: &mut Vec<IpAddr>) -> Vec<SocketAddr> {
    let announced = core.config.announced(local.ip());
    let keeps_local = core.config.listen.as_ref().is_some_and(|listen| listen.announce_local);
    let mut addresses = Vec::new();
    if announced.is_empty() || keeps_local {
        addresses.push(local);
    }
    for ip in announced.into_iter().filter(|ip| *ip != local.ip()) {
        if !told.contains(&ip) {
            told.push(ip);
            addresses.push(SocketAddr::new(ip, local.port()));
        }
    }
    addresses
}

pub(super) fn add(
    core: &mut Core,
    now: Instant,
    generation: u32,
    kind: LocalCandidateKind,
    addr: SocketAddr,
    base: SocketAddr,
) {
    let candidate = LocalCandidate { kind, addr, base, url: None, relay_protocol: None };
    core.connection.add_local_candidate(now, generation, candidate);
}

/// Another peer of the shared port talks to an address that this one has to reach. Nothing in what comes from there would tell the two
/// apart, so this one leaves by sockets of its own, whose addresses the other side learns from the checks that come from there.
pub(crate) fn move_out(core: &mut Core, now: Instant) {
    if std::mem::replace(&mut core.moved_out, true) {
        return;
    }
    let Some(generation) = core.connection.ice_generations().into_iter().flatten().max() else { return };
    for host in hosts(core.links()) {
        let bind = SocketAddr::new(host.local().ip(), 0);
        match bind_in_range(core.config.port_range, |port| SocketAddr::new(bind.ip(), port)) {
            Ok(socket) => {
                let socket = Arc::new(socket);
                if core.add_link(Link::Udp(socket.clone())) {
                    add(core, now, generation, LocalCandidateKind::Host, socket.local(), socket.local());
                }
            }
            Err(error) => tracing::warn!(%error, "cannot open a UDP socket beside a shared port"),
        }
    }
}

/// `None` if the peer was closed in the meantime.
fn own(core: &mut Core, address: &LocalAddress) -> Result<Option<Host>, String> {
    let socket = bind_in_range(core.config.port_range, |port| address.with_port(port));
    let socket = Arc::new(socket.map_err(|error| error.to_string())?);
    Ok(core.add_link(Link::Udp(socket.clone())).then_some(Host::Own(socket)))
}

fn join(shared: &Arc<Shared>, core: &mut Core, address: SocketAddr) -> Result<Option<Host>, String> {
    let port = udp_port(shared, core, address)?;
    let id = port.add(Arc::new(Registered { shared: Arc::downgrade(shared), base: None }));
    if core.add_link(Link::Shared(port.clone(), id)) {
        return Ok(Some(Host::Shared(port, id)));
    }
    port.remove(id);
    Ok(None)
}

fn udp_port(shared: &Arc<Shared>, core: &mut Core, address: SocketAddr) -> Result<Arc<UdpPort>, String> {
    let at = |ports: &Ports| ports.udp.iter().find(|p| p.socket().local().ip() == address.ip()).cloned();
    if let Some(port) = at(&core.shared_ports) {
        return Ok(port);
    }
    // An interface that has come later.
    let opened = Ports::open(&shared.runtime, &[address], core.config.tcp.passive);
    let opened = opened.map_err(|error| error.to_string())?;
    core.shared_ports.udp.extend(opened.udp);
    core.shared_ports.tcp.extend(opened.tcp);
    at(&core.shared_ports).ok_or_else(|| format!("{address} is no longer there"))
}

/// A peer at a port.
pub(super) struct Registered {
    pub(super) shared: Weak<Shared>,
    /// Its candidate there, of TCP.
    pub(super) base: Option<Weak<TcpBase>>,
}

impl Owner for Registered {
    fn take_stream(&self, _local: SocketAddr, remote: SocketAddr, stream: TcpStream, input: Vec<u8>) {
        let base = self.base.as_ref().and_then(Weak::upgrade);
        let (Some(shared), Some(base)) = (self.shared.upgrade(), base) else { return };
        let served = tcp::accept(shared.clone(), base, remote, stream, input);
        shared.executor.spawn(shared.clone().watch(served));
    }

    fn take_datagrams(&self, local: SocketAddr, received: &[Received<'_>]) -> bool {
        let Some(shared) = self.shared.upgrade() else { return false };
        // A panic has ended that peer already; the others of the port go on.
        crash::catch(|| {
            shared.run(|core, now| {
                let mut known = false;
                for &received in received {
                    for datagram in received.datagrams() {
                        known |= core.stun.intercept(received.remote, datagram)
                            || core.connection.handle_datagram(now, local, received.remote, datagram);
                    }
                }
                known
            })
        })
        .unwrap_or(false)
    }
}
