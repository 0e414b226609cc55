//! Gathering: finds the addresses that the peer may be reached at, and gives them to the connection as candidates.
//!
//! Sockets outlive a gathering: after an ICE restart they are announced again under the new credentials. Allocations are made anew each
//! time, as the server may have been started anew or its credentials have changed, and given back with the generation they were for.

pub(crate) mod host;
mod query;
mod renew;
pub(crate) mod tcp;

use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use ossa_peer::{Fault, IceCandidateError, IceTransportPolicy, LocalCandidate, LocalCandidateKind};
use parking_lot::Mutex;
use stun_proto::types::attribute::ErrorCode;
use tokio::task::JoinSet;

use crate::attempts::Attempts;
use crate::config::{Credentials, IceServer};
use crate::core::Core;
use crate::error::UNREACHABLE;
use crate::interfaces::{self, LocalAddress, Selected};
use crate::link::{Host, hosts};
use crate::relay::Relay;
use crate::resolve;
use crate::shared::Shared;
use crate::turn::{self, TurnServer};
use crate::url::{IceServerUrl, Scheme, ServerTransport};
use host::Failures;

pub(crate) use renew::renew_lost;

/// More server URLs than this are not asked: W3C lets browsers stop somewhere, and each costs time and sockets.
const MAX_SERVERS: usize = 32;

/// Starts to gather for a generation; the one before ends. Host candidates are there when this returns.
pub(crate) fn start(shared: &Arc<Shared>, core: &mut Core, now: Instant, generation: u32) {
    let hosts = match core.config.connection.ice_transport_policy {
        IceTransportPolicy::Relay => Vec::new(),
        IceTransportPolicy::All => host_candidates(shared, core, now, generation),
    };
    let job =
        Job { shared: shared.clone(), generation, hosts, seen: Mutex::default(), purpose: Purpose::Gather };
    let servers = core.config.ice_servers.clone();
    if servers.is_empty() {
        core.connection.gathering_done(now, generation);
    } else {
        let task = shared.executor.spawn(shared.clone().watch(Arc::new(job).run(servers)));
        core.set_gathering(task.abort_handle());
    }
}

fn host_candidates(shared: &Arc<Shared>, core: &mut Core, now: Instant, generation: u32) -> Vec<Host> {
    core.roaming.enabled = true;
    let Some(addresses) = local_addresses(shared, core) else { return hosts(core.links()) };
    let mut failures = Failures::new();
    let open = host::open(shared, core, now, &addresses, &mut failures);
    host::add_candidates(core, now, generation, &open);
    tcp::host_candidates(shared, core, now, generation, &addresses, &mut failures);
    tell_of(core, failures);
    open
}

/// Tells the application which addresses of this machine could not be used.
pub(crate) fn tell_of(core: &mut Core, failures: Failures) {
    for (ip, text) in failures {
        tracing::warn!(text, "a host candidate is missing");
        core.connection.gathering_error(local_error(Some(ip), text));
    }
}

/// The addresses that candidates are to come from; `None` if the system doesn't tell.
fn local_addresses(shared: &Shared, core: &mut Core) -> Option<Vec<LocalAddress>> {
    let interfaces = &shared.runtime.interfaces;
    let first = core.links().is_empty();
    let all = match if first { interfaces.get() } else { interfaces.refresh() } {
        Ok(all) => all,
        Err(error) => {
            let text = format!("cannot list the network interfaces: {error}");
            core.connection.gathering_error(local_error(None, text));
            return None;
        }
    };
    let Selected { used: wanted, left_out } = interfaces::select(&all, &core.config.selection());
    if !left_out.is_empty() {
        core.connection.gathering_error(local_error(None, left_out_text(wanted.len(), &left_out)));
    }
    if wanted.is_empty() {
        let text = "no address of this machine is left by bindAddress, includeInterfaces, excludeInterfaces and includeLinkLocal";
        core.connection.gathering_error(local_error(None, text.to_owned()));
    }
    Some(wanted)
}

fn left_out_text(used: usize, left_out: &[LocalAddress]) -> String {
    let names: BTreeSet<&str> = left_out.iter().map(|a| a.interface.as_str()).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    format!(
        "this machine has {} addresses, of which the first {used} are used; left out are those of {names}. Choose with \
         includeInterfaces or excludeInterfaces",
        used + left_out.len()
    )
}

/// A failure on this machine: there is no server, so the URL is empty.
fn local_error(address: Option<IpAddr>, text: String) -> IceCandidateError {
    IceCandidateError {
        address,
        port: None,
        url: String::new(),
        code: UNREACHABLE,
        text,
        fault: Fault::Local,
    }
}

/// One gathering.
struct Job {
    shared: Arc<Shared>,
    generation: u32,
    hosts: Vec<Host>,
    /// Server-reflexive candidates so far, as (address, base): several servers usually see the same address.
    seen: Mutex<HashSet<(SocketAddr, SocketAddr)>>,
    purpose: Purpose,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Gather,
    /// To replace an allocation that is lost. Gathering is over: what is found is not told.
    Renew {
        /// The servers may be back any moment.
        hasty: bool,
        /// What they do not give has been told.
        told: bool,
    },
}

impl Job {
    async fn run(self: Arc<Self>, servers: Vec<IceServer>) {
        let mut tasks = JoinSet::new();
        let mut left = MAX_SERVERS;
        for server in servers {
            let credentials = Credentials::new(&server);
            for url in server.urls.into_iter().take(left) {
                left -= 1;
                tasks.spawn(self.shared.clone().watch(self.clone().ask(url, credentials.clone())));
            }
        }
        // All at once; the slowest decides. Aborting this task aborts them too.
        while tasks.join_next().await.is_some() {}
        self.shared.run(|core, now| match self.purpose {
            Purpose::Gather => core.connection.gathering_done(now, self.generation),
            Purpose::Renew { .. } => core.renewal.end(now),
        });
    }

    async fn ask(self: Arc<Self>, url: IceServerUrl, credentials: Option<Credentials>) {
        let addresses = match resolve::server(&self.shared, &url.host, url.port).await {
            Ok(addresses) => addresses,
            Err(text) => return self.fail(&url, None, UNREACHABLE, text, Fault::NameNotFound),
        };
        match url.scheme {
            Scheme::Stun => self.ask_stun(&url, &addresses, false).await,
            Scheme::Stuns => {
                let text = "STUN over TLS tells no address that UDP could use; write 'stun:'".to_owned();
                self.fail(&url, None, UNREACHABLE, text, Fault::Local);
            }
            // RFC 8445, section 5.1.1.2: a TURN server tells the reflexive address too, by which two peers behind NATs do without it.
            Scheme::Turn if url.transport == ServerTransport::Udp && self.purpose == Purpose::Gather => {
                let reflexive = self.ask_stun(&url, &addresses, true);
                tokio::join!(reflexive, self.ask_turn(url.clone(), addresses.clone(), credentials));
            }
            Scheme::Turn | Scheme::Turns => self.ask_turn(url, addresses, credentials).await,
        }
    }

    /// Asks from each of our sockets. `silently`: the same server is asked for an allocation, which fails for the same reasons.
    async fn ask_stun(self: &Arc<Self>, url: &IceServerUrl, addresses: &[SocketAddr], silently: bool) {
        let mut tasks = JoinSet::new();
        for host in &self.hosts {
            let from = host.local();
            // A loopback socket reaches loopback only, and has no other address anyway.
            let reaches = |to: &&SocketAddr| {
                to.is_ipv4() == from.is_ipv4() && (to.ip().is_loopback() || !from.ip().is_loopback())
            };
            let reached: Vec<_> = addresses.iter().filter(reaches).copied().collect();
            if !reached.is_empty() {
                let ask = self.clone().ask_stun_from(host.clone(), reached, url.clone(), silently);
                tasks.spawn(self.shared.clone().watch(ask));
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn ask_stun_from(
        self: Arc<Self>,
        host: Host,
        servers: Vec<SocketAddr>,
        url: IceServerUrl,
        silently: bool,
    ) {
        let base = host.local();
        let mut attempts = Attempts::new(&servers);
        let mut failure = None;
        loop {
            let ask = |server| {
                let (shared, host) = (self.shared.clone(), host.clone());
                async move { query::query(&shared, &host, server).await }
            };
            match attempts.next(ask).await {
                // Seen under its own address: not behind a NAT, the host candidate says it all.
                Some(Ok(addr)) if addr == base => return,
                Some(Ok(addr)) if !self.seen.lock().insert((addr, base)) => return,
                Some(Ok(addr)) => {
                    return self.add(LocalCandidate {
                        kind: LocalCandidateKind::ServerReflexive,
                        addr,
                        base,
                        url: Some(url.url),
                        relay_protocol: None,
                    });
                }
                Some(Err(error)) => failure = failure.or(Some(error)),
                None => break,
            }
        }
        if let Some(error) = failure.filter(|_| !silently) {
            let fault = if error.code == UNREACHABLE { Fault::Unreachable } else { Fault::Refused };
            self.fail(&url, Some(base), error.code, error.text, fault);
        }
    }

    async fn ask_turn(
        self: &Arc<Self>,
        url: IceServerUrl,
        addresses: Vec<SocketAddr>,
        credentials: Option<Credentials>,
    ) {
        let Some(credentials) = credentials else {
            let text = "a TURN server needs username and credential".to_owned();
            return self.fail(&url, None, 401, text, Fault::Local);
        };
        let hasty = matches!(self.purpose, Purpose::Renew { hasty: true, .. });
        let server = Arc::new(TurnServer { url: url.clone(), credentials: credentials.clone(), hasty });
        // A task of its own, which goes on if this one is aborted: an allocation that is made all the same has to be given back.
        let (shared, generation) = (self.shared.clone(), self.generation);
        let allocation = async move { turn::allocate(&shared, &server, &addresses, generation).await };
        let allocated = self.shared.executor.spawn(self.shared.clone().watch(allocation));
        match allocated.await {
            Ok(Ok(relay)) => self.add_relayed(&relay),
            Ok(Err(error)) => match self.adopt(&url, &credentials, error.code) {
                Some(relay) => self.add_relayed(&relay),
                None => self.fail(&url, error.local, error.code, error.text, error.fault),
            },
            // The runtime is shutting down.
            Err(_) => {}
        }
    }

    /// The allocation of the generation before, if it counts against the quota that keeps us from a new one.
    fn adopt(&self, url: &IceServerUrl, credentials: &Credentials, refusal: u16) -> Option<Arc<Relay>> {
        if refusal != ErrorCode::ALLOCATION_QUOTA_REACHED && refusal != ErrorCode::INSUFFICIENT_CAPACITY {
            return None;
        }
        let relay = self.shared.run(|core, _| turn::find(core.links(), &url.url, credentials))?;
        relay.adopt(self.generation);
        Some(relay)
    }

    fn add_relayed(&self, relay: &Relay) {
        relay.candidates().iter().for_each(|candidate| self.add(candidate.clone()));
        if self.purpose != Purpose::Gather {
            renew::replaced(&self.shared);
        }
    }

    fn add(&self, candidate: LocalCandidate) {
        self.shared.run(|core, now| match self.purpose {
            Purpose::Gather => core.connection.add_local_candidate(now, self.generation, candidate),
            Purpose::Renew { .. } => core.connection.add_late_candidate(now, candidate),
        });
    }

    fn fail(&self, url: &IceServerUrl, local: Option<SocketAddr>, code: u16, text: String, fault: Fault) {
        if matches!(self.purpose, Purpose::Renew { told: true, .. }) {
            return;
        }
        let error = IceCandidateError {
            address: local.map(|a| a.ip()).filter(|ip| !ip.is_unspecified()),
            port: local.map(|a| a.port()),
            url: url.url.clone(),
            code,
            text,
            fault,
        };
        self.shared.run(|core, _| core.connection.gathering_error(error));
    }
}
