//! Two connections and a network between them, in virtual time.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_peer::*;

/// What the network does to datagrams.
#[derive(Clone, Debug)]
pub struct Link {
    pub delay: Duration,
    /// Additional random delay, which reorders.
    pub jitter: Duration,
    /// Per mille.
    pub loss: u64,
    pub down: bool,
    /// Longest datagram that passes.
    pub mtu: usize,
}

impl Default for Link {
    fn default() -> Self {
        Link { delay: Duration::from_millis(1), jitter: Duration::ZERO, loss: 0, down: false, mtu: 65_536 }
    }
}

pub struct Node {
    pub conn: Connection,
    pub addrs: Vec<SocketAddr>,
    /// Addresses on TURN servers, gathered after those of its own.
    pub relays: Vec<SocketAddr>,
    /// Candidates over TCP; an active one has port 9.
    pub tcp: Vec<(LocalCandidateKind, SocketAddr)>,
    pub events: Vec<Event>,
    pub messages: BTreeMap<ChannelId, Vec<(MessageKind, Bytes)>>,
    pub released: BTreeMap<ChannelId, usize>,
    pub accept_data: bool,
    pub candidates: VecDeque<CandidateInit>,
    pub datagrams: u64,
}

/// Sees (and may change) a datagram of a node on its way; false drops it.
pub type Tap = Box<dyn FnMut(usize, &mut Vec<u8>) -> bool>;

/// Whether the network carries datagrams from the first address to the second.
pub type Reach = Box<dyn Fn(SocketAddr, SocketAddr) -> bool>;

/// Receiving node, transport, its address, the sender's address, payload.
type Datagram = (usize, CandidateProtocol, SocketAddr, SocketAddr, Vec<u8>);

/// Where connections of a node come from, and with each break another one.
fn outgoing_port(connection: u16) -> u16 {
    40_000 + connection
}

pub struct Net {
    pub now: Instant,
    pub start: Instant,
    pub nodes: [Node; 2],
    pub link: Link,
    queue: BTreeMap<(Instant, u64), Datagram>,
    /// TCP connections that have ended.
    connections: u16,
    seq: u64,
    pub rng: u64,
    stuck: u32,
    /// Candidates are signaled as soon as they are found.
    pub trickle: bool,
    pub tap: Option<Tap>,
    pub reach: Option<Reach>,
    /// A NAT: its inner address and the outer one that it is seen under at the moment.
    pub mapping: Option<(SocketAddr, SocketAddr)>,
}

pub fn certificate(index: usize) -> Certificate {
    static CERTS: OnceLock<[Certificate; 2]> = OnceLock::new();
    let make = || Certificate::generate(1_700_000_000_000, Duration::from_secs(86_400 * 30)).unwrap();
    CERTS.get_or_init(|| [make(), make()])[index].clone()
}

#[allow(clippy::disallowed_methods)]
pub fn instant() -> Instant {
    Instant::now()
}

pub fn config(index: usize) -> Config {
    Config::new(certificate(index))
}

fn signaled(candidate: &str, mid: &str, ufrag: &str) -> CandidateInit {
    CandidateInit {
        candidate: candidate.to_owned(),
        sdp_mid: Some(mid.to_owned()),
        sdp_m_line_index: None,
        username_fragment: Some(ufrag.to_owned()),
    }
}

impl Default for Net {
    fn default() -> Self {
        Self::new()
    }
}

impl Net {
    pub fn new() -> Self {
        Self::with(config(0), config(1))
    }

    pub fn with(a: Config, b: Config) -> Self {
        let now = instant();
        let node = |i: u8, config: Config| Node {
            conn: Connection::new(config, [i + 1; 32], now).unwrap(),
            addrs: vec![SocketAddr::from(([10, 0, 0, i + 1], 5000 + u16::from(i)))],
            relays: Vec::new(),
            tcp: Vec::new(),
            events: Vec::new(),
            messages: BTreeMap::new(),
            released: BTreeMap::new(),
            accept_data: true,
            candidates: VecDeque::new(),
            datagrams: 0,
        };
        Net {
            now,
            start: now,
            nodes: [node(0, a), node(1, b)],
            link: Link::default(),
            queue: BTreeMap::new(),
            connections: 0,
            seq: 0,
            stuck: 0,
            rng: 0x9E37_79B9_7F4A_7C15,
            trickle: true,
            tap: None,
            reach: None,
            mapping: None,
        }
    }

    pub fn random(&mut self) -> u64 {
        self.rng ^= self.rng << 13;
        self.rng ^= self.rng >> 7;
        self.rng ^= self.rng << 17;
        self.rng
    }

    pub fn channel(&mut self, node: usize, init: DataChannelInit) -> ChannelId {
        self.nodes[node].conn.create_data_channel(self.now, init).unwrap()
    }

    pub fn set_local(&mut self, node: usize, kind: SdpType) -> String {
        let conn = &mut self.nodes[node].conn;
        conn.set_local_description(self.now, kind, "").unwrap();
        let s = conn.snapshot();
        s.pending_local_description.or(s.current_local_description).unwrap().sdp
    }

    pub fn set_remote(&mut self, node: usize, kind: SdpType, sdp: &str) {
        self.nodes[node].conn.set_remote_description(self.now, kind, sdp).unwrap();
        self.flush_candidates();
    }

    /// A whole round, offered by `from`.
    pub fn negotiate(&mut self, from: usize) {
        let offer = self.set_local(from, SdpType::Offer);
        self.set_remote(1 - from, SdpType::Offer, &offer);
        let answer = self.set_local(1 - from, SdpType::Answer);
        self.settle();
        self.set_remote(from, SdpType::Answer, &answer);
        self.settle();
    }

    /// Negotiates and waits until both sides are connected.
    pub fn connect(&mut self) {
        self.negotiate(0);
        self.until("connected", |net| {
            net.nodes.iter().all(|n| n.conn.snapshot().connection_state == ConnectionState::Connected)
        });
    }

    /// A connected pair with one reliable channel, open on both sides.
    pub fn open_channel(&mut self, init: DataChannelInit) -> (ChannelId, ChannelId) {
        let before = self.announced(1).len();
        let a = self.channel(0, init);
        if self.nodes[0].conn.snapshot().connection_state != ConnectionState::Connected {
            self.connect();
        }
        self.until("announced", |net| net.announced(1).len() > before);
        let b = self.announced(1)[before].0;
        self.until("open", |net| net.is_open(0, a) && net.is_open(1, b));
        (a, b)
    }

    pub fn announced(&self, node: usize) -> Vec<(ChannelId, ChannelInfo)> {
        let find = |e: &Event| match e {
            Event::ChannelAnnounced { id, info } => Some((*id, info.clone())),
            _ => None,
        };
        self.nodes[node].events.iter().filter_map(find).collect()
    }

    pub fn is_open(&self, node: usize, id: ChannelId) -> bool {
        self.nodes[node].conn.channel(id).is_some_and(|c| c.state == ChannelState::Open)
    }

    pub fn closed(&self, node: usize, id: ChannelId) -> Option<Option<RtcError>> {
        self.nodes[node].events.iter().find_map(|e| match e {
            Event::ChannelClosed { id: closed, error } if *closed == id => Some(error.clone()),
            _ => None,
        })
    }

    pub fn send(&mut self, node: usize, id: ChannelId, data: impl Into<Bytes>) {
        self.nodes[node].conn.send(self.now, id, MessageKind::Binary, data.into()).unwrap();
    }

    pub fn received(&self, node: usize, id: ChannelId) -> usize {
        self.nodes[node].messages.get(&id).map_or(0, Vec::len)
    }

    pub fn state(&self, node: usize) -> ConnectionState {
        self.nodes[node].conn.snapshot().connection_state
    }

    pub fn transport_stats(&self, node: usize) -> stats::TransportStats {
        let find = |entry| match entry {
            stats::Stats::Transport(transport) => Some(transport),
            _ => None,
        };
        self.nodes[node].conn.stats(self.now).entries.into_iter().find_map(find).unwrap()
    }

    /// Everything that is due now, without time passing.
    pub fn settle(&mut self) {
        for i in 0..2 {
            self.drain_events(i);
        }
        self.flush_candidates();
        for i in 0..2 {
            self.drain_events(i);
            self.drain_datagrams(i);
        }
    }

    fn drain_events(&mut self, i: usize) {
        loop {
            let node = &mut self.nodes[i];
            let Some(event) = node.conn.poll_event(self.now, node.accept_data) else { return };
            match &event {
                Event::Gather { generation, .. } => {
                    let host = |addr: &SocketAddr| (LocalCandidateKind::Host, *addr, *addr);
                    let relay = |addr: &SocketAddr| (LocalCandidateKind::Relay, *addr, node.addrs[0]);
                    let found: Vec<_> =
                        node.addrs.iter().map(host).chain(node.relays.iter().map(relay)).collect();
                    let over_tcp = node.tcp.iter().map(|(kind, addr)| (*kind, *addr, *addr));
                    for (kind, addr, base) in found.into_iter().chain(over_tcp) {
                        let candidate = LocalCandidate { kind, addr, base, url: None, relay_protocol: None };
                        node.conn.add_local_candidate(self.now, *generation, candidate);
                    }
                    node.conn.gathering_done(self.now, *generation);
                }
                Event::IceCandidate { candidate, mid, ufrag, .. } => {
                    node.candidates.push_back(signaled(candidate, mid, ufrag));
                }
                Event::EndOfCandidates { mid, ufrag, .. } => {
                    node.candidates.push_back(signaled("", mid, ufrag));
                }
                Event::Message { id, kind, data } => {
                    node.messages.entry(*id).or_default().push((*kind, data.clone()));
                    continue;
                }
                Event::Released { id, bytes } => {
                    *node.released.entry(*id).or_default() += bytes;
                    continue;
                }
                _ => {}
            }
            node.events.push(event);
        }
    }

    /// Hands over signaled candidates once the other side has a remote description to put them in.
    pub fn flush_candidates(&mut self) {
        if !self.trickle {
            return;
        }
        for i in 0..2 {
            while let Some(candidate) = self.nodes[i].candidates.front().cloned() {
                let peer = &mut self.nodes[1 - i].conn;
                let s = peer.snapshot();
                let known =
                    [s.pending_remote_description, s.current_remote_description].into_iter().flatten().any(
                        |d| candidate.username_fragment.as_ref().is_some_and(|u| d.sdp.contains(u.as_str())),
                    );
                if !known {
                    break;
                }
                self.nodes[i].candidates.pop_front();
                self.nodes[1 - i].conn.add_ice_candidate(self.now, &candidate).unwrap();
            }
        }
    }

    fn drain_datagrams(&mut self, i: usize) {
        let mut buf = Vec::new();
        while let Some(transmit) = self.nodes[i].conn.poll_transmit(self.now, &mut buf, 64) {
            assert!(transmit.segment_size > 0 && !buf.is_empty());
            // Routers may cut these, as they do over IPv4.
            let mtu = self.link.mtu;
            if transmit.oversized {
                self.link.mtu = usize::MAX;
            }
            for datagram in buf.chunks(transmit.segment_size) {
                self.nodes[i].datagrams += 1;
                let mut datagram = datagram.to_vec();
                if let Some(tap) = &mut self.tap
                    && !tap(i, &mut datagram)
                {
                    continue;
                }
                match transmit.protocol {
                    CandidateProtocol::Udp => self.put(i, transmit.local, transmit.remote, datagram),
                    CandidateProtocol::Tcp => self.put_framed(i, transmit.local, transmit.remote, datagram),
                }
            }
            self.link.mtu = mtu;
        }
    }

    /// Puts a datagram on the network.
    pub fn put(&mut self, from: usize, local: SocketAddr, remote: SocketAddr, data: Vec<u8>) {
        let lost = self.random() % 1000 < self.link.loss;
        let apart = self.reach.as_ref().is_some_and(|reach| !reach(local, remote));
        if lost || self.link.down || data.len() > self.link.mtu || apart {
            return;
        }
        let (local, remote) = match self.mapping {
            Some((inner, _)) if remote == inner => return,
            Some((inner, outer)) => {
                (if local == inner { outer } else { local }, if remote == outer { inner } else { remote })
            }
            None => (local, remote),
        };
        let jitter = self.link.jitter.as_micros() as u64;
        let jitter = if jitter == 0 { 0 } else { self.random() % jitter };
        let at = self.now + self.link.delay + Duration::from_micros(jitter);
        self.seq += 1;
        let to = &self.nodes[1 - from];
        if to.addrs.contains(&remote) || to.relays.contains(&remote) {
            self.queue.insert((at, self.seq), (1 - from, CandidateProtocol::Udp, remote, local, data));
        }
    }

    /// Puts a message into the TCP connection between the two, which has been opened if an active candidate sends. Nothing is lost there,
    /// unless there is none.
    fn put_framed(&mut self, from: usize, local: SocketAddr, remote: SocketAddr, data: Vec<u8>) {
        let now = outgoing_port(self.connections);
        let (at, seen_from) = match (local.port(), remote.port()) {
            (9, _) => (remote, SocketAddr::new(local.ip(), now)),
            (_, port) if port == now => (SocketAddr::new(remote.ip(), 9), local),
            _ => return,
        };
        if self.nodes[1 - from].tcp.iter().any(|(_, addr)| *addr == at) {
            self.seq += 1;
            let due = (self.now + self.link.delay, self.seq);
            self.queue.insert(due, (1 - from, CandidateProtocol::Tcp, at, seen_from, data));
        }
    }

    /// Ends the TCP connection; the next one that is opened comes from another port.
    pub fn break_tcp(&mut self, active: SocketAddr, passive: SocketAddr) {
        let before = SocketAddr::new(active.ip(), outgoing_port(self.connections));
        self.connections += 1;
        self.queue.retain(|_, (_, protocol, ..)| *protocol == CandidateProtocol::Udp);
        for (node, local, remote) in [(0, active, passive), (1, passive, before)] {
            self.nodes[node].conn.tcp_closed(self.now, local, remote);
        }
    }

    /// One step of virtual time; false if nothing will ever happen again.
    pub fn step(&mut self, end: Instant) -> bool {
        self.settle();
        let timers = self.nodes.iter_mut().filter_map(|n| n.conn.poll_timeout()).min();
        let arrival = self.queue.keys().next().map(|(at, _)| *at);
        let Some(next) = timers.into_iter().chain(arrival).min() else { return false };
        if next > end {
            self.now = end;
            return false;
        }
        // Timers that are overdue still take a moment, so that a mistake shows as slowness and not as a hang.
        if next <= self.now {
            self.stuck += 1;
            assert!(self.stuck < 1000, "a timer that is due stays due: {}", self.describe());
        } else {
            self.stuck = 0;
        }
        self.now = if next > self.now { next } else { self.now + Duration::from_micros(1) };
        while let Some(((at, _), _)) = self.queue.first_key_value() {
            if *at > self.now {
                break;
            }
            let Some((_, (to, protocol, local, remote, data))) = self.queue.pop_first() else { break };
            let conn = &mut self.nodes[to].conn;
            match protocol {
                CandidateProtocol::Udp => conn.handle_datagram(self.now, local, remote, &data),
                CandidateProtocol::Tcp => conn.handle_framed(self.now, local, remote, &data),
            };
        }
        for node in &mut self.nodes {
            if node.conn.poll_timeout().is_some_and(|t| t <= self.now) {
                node.conn.handle_timeout(self.now);
            }
        }
        true
    }

    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.settle();
    }

    /// Runs until something is so; panics after a minute of virtual time.
    pub fn until(&mut self, what: &str, condition: impl FnMut(&Net) -> bool) {
        self.until_within(Duration::from_secs(60), what, condition);
    }

    pub fn until_within(&mut self, limit: Duration, what: &str, mut condition: impl FnMut(&Net) -> bool) {
        let end = self.now + limit;
        self.settle();
        while !condition(self) {
            if !self.step(end) {
                self.settle();
                assert!(condition(self), "not {what} after {limit:?}: {}", self.describe());
                return;
            }
        }
        self.settle();
    }

    pub fn describe(&self) -> String {
        let mut out = String::new();
        for (i, node) in self.nodes.iter().enumerate() {
            let s = node.conn.snapshot();
            out += &format!(
                "\nnode {i}: {} connection {} ice {} dtls {:?} sctp {:?}\n  events: {:?}",
                s.signaling_state.as_str(),
                s.connection_state,
                s.ice_connection_state,
                s.dtls.map(|d| d.state),
                s.sctp.map(|d| d.state),
                node.events
                    .iter()
                    .filter(|e| !matches!(e, Event::IceCandidate { .. } | Event::EndOfCandidates { .. }))
                    .collect::<Vec<_>>(),
            );
        }
        out
    }
}
