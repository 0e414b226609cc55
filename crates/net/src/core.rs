//! The locked part of a peer: the connection and its ways out.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use ossa_peer::{CandidateProtocol, Connection, Event, IceTransportPolicy, ResolveCandidate, Transmit};
use tokio::task::AbortHandle;

use crate::config::PeerConfig;
use crate::foreground::{Foreground, Lender, Lending};
use crate::link::{Blocked, Link, Pending};
use crate::listen::{Owner, Ports, TcpPort};
use crate::renewal::Renewal;
use crate::roaming::Roaming;
use crate::sink::Sink;
use crate::socket::Sent;
use crate::stun::StunWaiters;

/// Most bytes sent in one go while the lock is held: some 100 microseconds of encryption. The rest is left to the driver, which
/// yields to other peers and to callers in between.
const SEND_BUDGET: usize = 256 * 1024;

/// Linux sends at most 64 segments in one call (UDP_MAX_SEGMENTS).
const MAX_DATAGRAMS: usize = 64;

/// How long a closing peer waits for a full socket or relay to take its goodbye.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// What the driver has to do for the connection.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Generation to gather for.
    pub(crate) gather: Option<u32>,
    pub(crate) resolve: Vec<ResolveCandidate>,
    /// A socket of its own, as another peer of the shared port talks to the same address.
    pub(crate) move_out: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Closed, and the last datagrams may be sent until this time.
    Closing(Instant),
    Closed,
}

pub(crate) struct Core {
    pub(crate) connection: Connection,
    pub(crate) config: PeerConfig,
    links: Vec<Link>,
    /// Changes whenever `links` does.
    links_version: u64,
    /// The ICE generations that relays and ports were last looked through for.
    pub(crate) generations: [Option<u32>; 2],
    /// Ports that TCP connections to this peer come to, and who takes them there.
    ports: Vec<(Arc<TcpPort>, Arc<dyn Owner>)>,
    /// The shared ports that this peer keeps open, also before it gathers.
    pub(crate) shared_ports: Ports,
    /// Has sockets of its own beside a shared port.
    pub(crate) moved_out: bool,
    /// What this peer is found by at its ports: a username fragment for each generation.
    ufrags: Vec<(u32, String)>,
    pub(crate) blocked: Blocked,
    pub(crate) wanted: Wanted,
    pub(crate) stun: StunWaiters,
    pub(crate) lending: Lending,
    pub(crate) roaming: Roaming,
    pub(crate) renewal: Renewal,
    /// Names being looked up.
    pub(crate) lookups: usize,
    /// The gathering in progress.
    gathering: Option<AbortHandle>,
    /// When the driver's timer fires.
    pub(crate) armed: Option<Instant>,
    /// Something was handled since the last [`Self::pump`].
    unsettled: bool,
    phase: Phase,
}

/// The outcome of [`Core::pump`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pumped {
    /// Not all was sent: the budget is used up, or a link has become full.
    pub(crate) more: bool,
    /// There is work that only the driver does.
    pub(crate) needs_driver: bool,
}

impl Core {
    pub(crate) fn new(connection: Connection, config: PeerConfig, shared_ports: Ports) -> Self {
        Self {
            connection,
            config,
            links: Vec::new(),
            links_version: 0,
            generations: [None; 2],
            ports: Vec::new(),
            shared_ports,
            moved_out: false,
            ufrags: Vec::new(),
            blocked: Blocked::default(),
            wanted: Wanted::default(),
            stun: StunWaiters::default(),
            lending: Lending::default(),
            roaming: Roaming::default(),
            renewal: Renewal::default(),
            lookups: 0,
            gathering: None,
            armed: None,
            unsettled: false,
            phase: Phase::Open,
        }
    }

    /// Delivers events and sends datagrams until there is nothing left, the budget is used up or a socket is full.
    pub(crate) fn pump(&mut self, sink: &dyn Sink, now: Instant) -> Pumped {
        self.unsettled = false;
        // Messages first: the reader's thread wakes up while this one encrypts the answer.
        self.deliver(sink, now);
        let more = self.transmit(sink, now);
        self.deliver(sink, now);
        self.retire(now);
        let renewal = self.renewal.deadline();
        let next = self.connection.poll_timeout().into_iter().chain(renewal).min();
        let earlier = match (next, self.armed) {
            (Some(wanted), Some(armed)) => wanted < armed,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let wanted = self.wanted.gather.is_some() || self.wanted.move_out || !self.wanted.resolve.is_empty();
        let returned = self.lending.is_returned();
        let renews = self.renewal.is_wanted() && renewal.is_none();
        let needs_driver = self.phase != Phase::Closed && (more || earlier || wanted || returned || renews);
        Pumped { more, needs_driver }
    }

    /// Delivers events only. Somebody has to [`Self::pump`] soon.
    pub(crate) fn hand_over(&mut self, sink: &dyn Sink, now: Instant) {
        self.unsettled = true;
        self.deliver(sink, now);
    }

    /// Whether only events were delivered since something was handled.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    fn deliver(&mut self, sink: &dyn Sink, now: Instant) {
        let mut any = false;
        while let Some(event) = self.connection.poll_event(now, sink.ready()) {
            match event {
                Event::Gather { generation, parameters } => {
                    self.wanted.gather = Some(generation);
                    self.be_found(generation, parameters.ufrag);
                }
                Event::ResolveCandidate(request) => self.wanted.resolve.push(request),
                event => {
                    sink.event(event);
                    any = true;
                }
            }
        }
        if any {
            sink.flush();
        }
    }

    /// Sends datagrams. True if the driver has to go on.
    fn transmit(&mut self, sink: &dyn Sink, now: Instant) -> bool {
        if self.phase == Phase::Closed {
            return false;
        }
        if self.blocked.is_blocked() {
            // The driver waits for room.
            return false;
        }
        TRANSMIT_BUFFER.with_borrow_mut(|buffer| {
            let mut budget = SEND_BUDGET;
            while budget > 0 {
                let Some(transmit) = self.connection.poll_transmit(now, buffer, MAX_DATAGRAMS) else {
                    return false;
                };
                budget = budget.saturating_sub(buffer.len());
                // What has left the send buffer is told before it is on its way: `bufferedAmount` has fallen when the
                // other end, perhaps on the same JavaScript thread, gets the message.
                self.deliver(sink, now);
                if !self.send(&transmit, buffer) {
                    return true;
                }
            }
            true
        })
    }

    /// False if the link was full; what is left then waits in `blocked`.
    fn send(&mut self, transmit: &Transmit, data: &[u8]) -> bool {
        let &Transmit { protocol, local, remote, segment_size: segment, oversized } = transmit;
        let Some(link) = self.link(protocol, local) else {
            // The socket or allocation was closed since: as good as lost on the way.
            return true;
        };
        if oversized {
            link.send_fragmentable(remote, data);
            return true;
        }
        match link.try_send(remote, data, segment) {
            Sent::Done => true,
            Sent::Refused => {
                self.wanted.move_out = !self.moved_out;
                true
            }
            Sent::Blocked(sent) => {
                let pending = Pending::new(remote, &data[sent..], segment);
                let link = link.clone();
                self.blocked.set(link, pending);
                false
            }
        }
    }

    pub(crate) fn links(&self) -> &[Link] {
        &self.links
    }

    pub(crate) fn links_version(&self) -> u64 {
        self.links_version
    }

    pub(crate) fn link(&self, protocol: CandidateProtocol, local: SocketAddr) -> Option<&Link> {
        self.links.iter().find(|link| link.local() == local && link.protocol() == protocol)
    }

    /// Adds a way out. False if the peer was closed in the meantime.
    pub(crate) fn add_link(&mut self, link: Link) -> bool {
        if self.phase != Phase::Open {
            return false;
        }
        if let Link::Shared(port, id) = &link {
            self.ufrags.iter().for_each(|(_, ufrag)| port.register(ufrag, *id));
        }
        self.links.push(link);
        self.links_version += 1;
        // It may be late for its generation.
        self.generations = [None; 2];
        true
    }

    /// Connections that come to `port` and name this peer are for `owner`.
    pub(crate) fn add_port(&mut self, port: Arc<TcpPort>, owner: Arc<dyn Owner>) {
        for (_, ufrag) in &self.ufrags {
            port.register(ufrag, owner.clone());
        }
        self.ports.push((port, owner));
    }

    /// A generation begins, whose checks name this fragment.
    fn be_found(&mut self, generation: u32, ufrag: String) {
        for (port, owner) in &self.ports {
            port.register(&ufrag, owner.clone());
        }
        for link in &self.links {
            if let Link::Shared(port, id) = link {
                port.register(&ufrag, *id);
            }
        }
        self.ufrags.push((generation, ufrag));
    }

    /// Takes this peer's names off its ports, of all generations but these.
    pub(crate) fn be_forgotten(&mut self, but: [Option<u32>; 2]) {
        let (ports, links) = (&self.ports, &self.links);
        self.ufrags.retain(|(generation, ufrag)| {
            let stays = but.contains(&Some(*generation));
            if !stays {
                ports.iter().for_each(|(port, _)| port.forget(ufrag));
                for link in links {
                    if let Link::Shared(port, _) = link {
                        port.forget(ufrag);
                    }
                }
            }
            stays
        });
    }

    /// Lends `foreground` the socket that is in use, if this is the time for it. True if the driver has to set its timer.
    pub(crate) fn attend(
        &mut self,
        now: Instant,
        foreground: &Arc<Foreground>,
        peer: impl FnOnce() -> Weak<dyn Lender>,
    ) -> bool {
        if self.phase != Phase::Open {
            return false;
        }
        let Some(Link::Udp(socket)) =
            self.lending.wanted(now).and_then(|local| self.link(CandidateProtocol::Udp, local))
        else {
            return false;
        };
        let until = self.lending.begin(now, foreground, peer(), socket.clone());
        until.is_some_and(|until| self.armed.is_none_or(|armed| until < armed))
    }

    /// A socket or allocation is gone: its candidates are as well.
    pub(crate) fn remove_link(&mut self, now: Instant, local: SocketAddr) {
        self.lending.end_of(local);
        self.links.retain(|link| {
            let stays = link.local() != local;
            if !stays {
                link.close();
            }
            stays
        });
        self.ports.retain(|(port, _)| port.local() != local);
        self.links_version += 1;
        self.connection.remove_local_candidate(now, local);
    }

    pub(crate) fn set_ice_transport_policy(
        &mut self,
        policy: IceTransportPolicy,
    ) -> Result<(), ossa_peer::Error> {
        self.connection.set_ice_transport_policy(policy)?;
        self.config.connection.ice_transport_policy = policy;
        Ok(())
    }

    /// Replaces the gathering in progress.
    pub(crate) fn set_gathering(&mut self, task: AbortHandle) {
        if let Some(old) = self.gathering.replace(task) {
            old.abort();
        }
    }

    pub(crate) fn close(&mut self, now: Instant) {
        self.connection.close(now);
        if self.phase == Phase::Open {
            self.phase = Phase::Closing(now + CLOSE_TIME);
            if let Some(gathering) = self.gathering.take() {
                gathering.abort();
            }
        }
    }

    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::Closing(_))
    }

    /// Whether a closing peer has waited long enough for a full link.
    pub(crate) fn closing_time_is_over(&self, now: Instant) -> bool {
        matches!(self.phase, Phase::Closing(until) if until <= now)
    }

    /// When the driver has to run next.
    pub(crate) fn next_deadline(&mut self) -> Option<Instant> {
        let closing = match self.phase {
            Phase::Closing(until) => Some(until),
            Phase::Open | Phase::Closed => None,
        };
        let roaming = self.roaming.deadline(self.links.iter().any(|link| matches!(link, Link::Udp(_))));
        let renewal = self.renewal.deadline();
        [self.connection.poll_timeout(), closing, self.lending.until(), roaming, renewal]
            .into_iter()
            .flatten()
            .min()
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Lets go of all sockets and allocations.
    pub(crate) fn finish(&mut self) {
        self.phase = Phase::Closed;
        self.blocked.clear();
        self.lending.end();
        self.be_forgotten([None; 2]);
        self.ports.clear();
        self.shared_ports = Ports::default();
        for link in self.links.drain(..) {
            link.close();
        }
        self.links_version += 1;
        self.stun = StunWaiters::default();
        if let Some(gathering) = self.gathering.take() {
            gathering.abort();
        }
    }
}

thread_local! {
    /// Per thread, not per peer: 64 KiB times thousands of idle peers would be a lot.
    static TRANSMIT_BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}
