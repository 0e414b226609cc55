//! One end of a connection, and how two of them come together.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use ossa_net::{Listen, OutMessage, Peer, PeerConfig, Runtime, RuntimeConfig, Sink};
use ossa_peer::{
    CandidateInit, Certificate, ChannelId, Config, DataChannelInit, Error, Event, MessageKind, SdpType,
};

/// Messages of this size are handed to whoever waits for them; others are only counted.
pub(crate) const ECHO: usize = 32;

pub(crate) struct Bench {
    control: Sender<Event>,
    pub(crate) messages: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) buffered: AtomicUsize,
    echo: Sender<Bytes>,
}

impl Sink for Bench {
    fn event(&self, event: Event) {
        match event {
            Event::Message { data, .. } => {
                self.messages.fetch_add(1, Ordering::Relaxed);
                self.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
                if data.len() == ECHO {
                    let _ = self.echo.send(data);
                }
            }
            Event::Released { bytes, .. } => {
                self.buffered.fetch_sub(bytes, Ordering::Relaxed);
            }
            event => {
                let _ = self.control.send(event);
            }
        }
    }

    fn flush(&self) {}

    fn ready(&self) -> bool {
        true
    }

    fn send_failed(&self, _: ChannelId, _: usize, error: Error) {
        panic!("a message was refused: {error}");
    }
}

pub(crate) struct Side {
    pub(crate) peer: Peer,
    pub(crate) sink: Arc<Bench>,
    events: Receiver<Event>,
    pub(crate) echoes: Receiver<Bytes>,
}

/// `shards` threads for as many peers as use it.
pub(crate) fn runtime(shards: usize) -> Arc<Runtime> {
    Runtime::new(RuntimeConfig { shards: Some(shards) }).expect("a runtime")
}

pub(crate) fn certificate() -> Certificate {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis();
    let day = Duration::from_secs(86_400);
    Certificate::generate(u64::try_from(now).expect("a sane clock"), day).expect("a certificate")
}

/// A port that was free a moment ago.
pub(crate) fn listen() -> Listen {
    let free = UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a free port");
    Listen { port: free.port(), announce: Vec::new(), announce_local: false }
}

impl Side {
    pub(crate) fn new(
        runtime: &Arc<Runtime>,
        certificate: &Certificate,
        set: impl FnOnce(&mut PeerConfig),
    ) -> Self {
        let mut config = PeerConfig::new(Config::new(certificate.clone()));
        config.bind_address = Some([127, 0, 0, 1].into());
        set(&mut config);
        let ((control, events), (echo, echoes)) = (channel(), channel());
        let (messages, bytes, buffered) = (AtomicU64::new(0), AtomicU64::new(0), AtomicUsize::new(0));
        let sink = Arc::new(Bench { control, messages, bytes, buffered, echo });
        let peer = Peer::new(runtime, config, sink.clone()).expect("a peer");
        Self { peer, sink, events, echoes }
    }

    /// Sends `count` messages of this content.
    pub(crate) fn send(&self, channel: ChannelId, data: &Bytes, count: usize) {
        self.sink.buffered.fetch_add(data.len() * count, Ordering::Relaxed);
        let message = OutMessage { channel, kind: MessageKind::Binary, data: data.clone() };
        self.peer.send_batch(std::iter::repeat_n(message, count));
    }

    pub(crate) fn buffered(&self) -> usize {
        self.sink.buffered.load(Ordering::Relaxed)
    }
}

/// Two ends with a channel.
pub(crate) struct Link {
    pub(crate) a: Side,
    pub(crate) b: Side,
    pub(crate) at_a: ChannelId,
    pub(crate) at_b: ChannelId,
    /// From the first call to open channels.
    pub(crate) took: Duration,
}

impl Link {
    /// Connects two ends. Candidates that do not pass are not told.
    pub(crate) fn new(a: Side, b: Side, passes: impl Fn(&str) -> bool) -> Self {
        let started = Instant::now();
        let offer = a.peer.with(|c, now| {
            c.create_data_channel(now, DataChannelInit::default())?;
            let sdp = c.create_offer(now, false)?;
            c.set_local_description(now, SdpType::Offer, &sdp).map(|()| sdp)
        });
        let answer = b.peer.with(|c, now| {
            c.set_remote_description(now, SdpType::Offer, &offer.flatten().expect("an offer"))?;
            let sdp = c.create_answer(now)?;
            c.set_local_description(now, SdpType::Answer, &sdp).map(|()| sdp)
        });
        let answer = answer.flatten().expect("an answer");
        let accepted = a.peer.with(|c, now| c.set_remote_description(now, SdpType::Answer, &answer));
        accepted.flatten().expect("a good answer");
        let (mut open_a, mut open_b) = (None, None);
        while open_a.is_none() || open_b.is_none() {
            open_a = open_a.or(forward(&a, &b, &passes));
            open_b = open_b.or(forward(&b, &a, &passes));
        }
        let (at_a, at_b) = (open_a.expect("the loop ends with it"), open_b.expect("and with this"));
        Self { a, b, at_a, at_b, took: started.elapsed() }
    }
}

fn forward(from: &Side, to: &Side, passes: &impl Fn(&str) -> bool) -> Option<ChannelId> {
    match from.events.recv_timeout(Duration::from_millis(1)).ok()? {
        Event::IceCandidate { candidate, .. } if !passes(&candidate) => None,
        Event::IceCandidate { candidate, mid, m_line_index, ufrag, .. } => {
            let init = CandidateInit {
                candidate,
                sdp_mid: Some(mid),
                sdp_m_line_index: Some(m_line_index),
                username_fragment: Some(ufrag),
            };
            to.peer.with(|c, now| c.add_ice_candidate(now, &init)).flatten().expect("a candidate");
            None
        }
        Event::ChannelOpen { id, .. } => Some(id),
        _ => None,
    }
}
