//! Two connections joined in memory, on the real clock.

#![allow(unreachable_pub, dead_code)]

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ossa_peer::{
    CandidateInit, Certificate, ChannelId, Config, Connection, DataChannelInit, Event, LocalCandidate,
    LocalCandidateKind, SdpType,
};

/// Both ends, and where each of them lives.
pub struct Pair {
    /// The connections.
    pub ends: [Connection; 2],
    addrs: [SocketAddr; 2],
    buf: Vec<u8>,
    /// Messages and bytes that have arrived at each end.
    pub received: [(u64, u64); 2],
    /// Channels announced at the second end.
    pub announced: Vec<ChannelId>,
    /// Datagrams that were carried.
    pub datagrams: u64,
}

#[allow(clippy::disallowed_methods)]
pub fn now() -> Instant {
    Instant::now()
}

#[allow(clippy::disallowed_methods)]
pub fn certificate() -> Certificate {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    Certificate::generate(unix.as_millis() as u64, Duration::from_secs(86_400)).expect("random numbers")
}

impl Pair {
    /// Connects the two ends; the first one has a channel.
    pub fn connect(configs: [Config; 2], init: DataChannelInit, seed: u8) -> (Self, ChannelId) {
        let start = now();
        let mut i = 0;
        let ends = configs.map(|config| {
            i += 1;
            Connection::new(config, [seed.wrapping_add(i); 32], start).expect("valid settings")
        });
        let addrs = [SocketAddr::from(([127, 0, 0, 1], 1)), SocketAddr::from(([127, 0, 0, 1], 2))];
        let mut pair =
            Pair { ends, addrs, buf: Vec::new(), received: [(0, 0); 2], announced: Vec::new(), datagrams: 0 };
        let channel = pair.ends[0].create_data_channel(start, init).expect("a channel");
        pair.negotiate();
        (pair, channel)
    }

    fn negotiate(&mut self) {
        let t = now();
        let local = |c: &Connection| {
            let s = c.snapshot();
            s.pending_local_description.or(s.current_local_description).expect("just set").sdp
        };
        self.ends[0].set_local_description(t, SdpType::Offer, "").expect("offer");
        let offer = local(&self.ends[0]);
        self.ends[1].set_remote_description(t, SdpType::Offer, &offer).expect("offer");
        self.ends[1].set_local_description(t, SdpType::Answer, "").expect("answer");
        let answer = local(&self.ends[1]);
        self.ends[0].set_remote_description(t, SdpType::Answer, &answer).expect("answer");
    }

    /// Carries everything that is waiting, once in each direction. Returns whether anything was.
    pub fn turn(&mut self) -> bool {
        let mut busy = false;
        for from in 0..2 {
            busy |= self.events(from);
            let t = now();
            if self.ends[from].poll_timeout().is_some_and(|at| at <= t) {
                self.ends[from].handle_timeout(t);
            }
            // One batch per turn, as a socket loop would do it before it looks at its receive side again.
            if let Some(transmit) = self.ends[from].poll_transmit(t, &mut self.buf, 64) {
                busy = true;
                for datagram in self.buf.chunks(transmit.segment_size) {
                    self.datagrams += 1;
                    self.ends[1 - from].handle_datagram(t, transmit.remote, transmit.local, datagram);
                }
            }
            busy |= self.events(1 - from);
        }
        busy
    }

    fn events(&mut self, end: usize) -> bool {
        let t = now();
        let mut busy = false;
        while let Some(event) = self.ends[end].poll_event(t, true) {
            busy = true;
            match event {
                Event::Gather { generation, .. } => {
                    let addr = self.addrs[end];
                    let candidate = LocalCandidate {
                        kind: LocalCandidateKind::Host,
                        addr,
                        base: addr,
                        url: None,
                        relay_protocol: None,
                    };
                    self.ends[end].add_local_candidate(t, generation, candidate);
                    self.ends[end].gathering_done(t, generation);
                }
                Event::IceCandidate { candidate, mid, ufrag, .. } => self.signal(end, candidate, mid, ufrag),
                Event::EndOfCandidates { mid, ufrag, .. } => self.signal(end, String::new(), mid, ufrag),
                Event::ChannelAnnounced { id, .. } => self.announced.push(id),
                Event::Message { data, .. } => {
                    self.received[end].0 += 1;
                    self.received[end].1 += data.len() as u64;
                }
                _ => {}
            }
        }
        busy
    }

    fn signal(&mut self, end: usize, candidate: String, mid: String, ufrag: String) {
        let init = CandidateInit {
            candidate,
            sdp_mid: Some(mid),
            sdp_m_line_index: None,
            username_fragment: Some(ufrag),
        };
        self.ends[1 - end].add_ice_candidate(now(), &init).expect("a candidate of ours");
    }

    /// Frees the buffer for datagrams, which belongs to the caller and not to the connections.
    pub fn release_buffer(&mut self) {
        self.buf = Vec::new();
    }

    /// Turns until the channel is announced on the other side.
    pub fn wait_open(&mut self) {
        while self.announced.is_empty() {
            if !self.turn() {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    }
}
