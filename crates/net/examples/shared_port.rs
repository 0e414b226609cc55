//! Many connections at one port, with traffic on all of them: how long it takes to make them, how many descriptors they take, and how
//! fast they answer.
//!
//! ```sh
//! cargo run --release -p ossa-net --example shared_port [connections] [own | shared]
//! ```

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_net::{Listen, OutMessage, Peer, PeerConfig, Runtime, RuntimeConfig, Sink};
use ossa_peer::{
    CandidateInit, Certificate, ChannelId, Config, DataChannelInit, Error, Event, MessageKind, SdpType,
};

/// Messages on each connection, one after the other.
const ROUNDS: usize = 20;

struct Queue(Sender<Event>);

impl Sink for Queue {
    fn event(&self, event: Event) {
        let _ = self.0.send(event);
    }

    fn flush(&self) {}

    fn ready(&self) -> bool {
        true
    }

    fn send_failed(&self, _: ChannelId, _: usize, error: Error) {
        panic!("a message was refused: {error}");
    }
}

struct Side {
    peer: Peer,
    events: Receiver<Event>,
}

impl Side {
    fn new(runtime: &Arc<Runtime>, certificate: &Certificate, listen: Option<Listen>) -> Self {
        let mut config = PeerConfig::new(Config::new(certificate.clone()));
        config.bind_address = Some([127, 0, 0, 1].into());
        config.listen = listen;
        let (sender, events) = channel();
        let peer = Peer::new(runtime, config, Arc::new(Queue(sender))).expect("a peer");
        Self { peer, events }
    }

    fn send(&self, channel: ChannelId) {
        let data = Bytes::from_static(&[7; 1_000]);
        self.peer.send_batch([OutMessage { channel, kind: MessageKind::Binary, data }]);
    }

    fn wait_message(&self) {
        while !matches!(self.events.recv_timeout(Duration::from_secs(30)), Ok(Event::Message { .. })) {}
    }
}

fn forward(from: &Side, to: &Side) -> Option<ChannelId> {
    match from.events.recv_timeout(Duration::from_millis(1)).ok()? {
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

fn connect(a: &Side, b: &Side) -> (ChannelId, ChannelId) {
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
    a.peer
        .with(|c, now| c.set_remote_description(now, SdpType::Answer, &answer))
        .flatten()
        .expect("a good one");
    let (mut open_a, mut open_b) = (None, None);
    while open_a.is_none() || open_b.is_none() {
        open_a = open_a.or(forward(a, b));
        open_b = open_b.or(forward(b, a));
    }
    (open_a.expect("the loop ends with it"), open_b.expect("and with this"))
}

/// Descriptors of this process.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

fn main() {
    let count: usize = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(2_000);
    let shared = std::env::args().nth(2).is_none_or(|mode| mode == "shared");
    let free = std::net::UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a free port");
    let listen = shared.then(|| Listen { port: free.port(), announce: Vec::new(), announce_local: false });
    let day = Duration::from_secs(86_400);
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_millis();
    let certificate =
        Certificate::generate(u64::try_from(now).expect("a sane clock"), day).expect("a certificate");
    let runtime = || Runtime::new(RuntimeConfig { shards: Some(1) }).expect("a runtime");
    let (servers, clients) = (runtime(), runtime());
    let started = Instant::now();
    let links: Vec<_> = (0..count)
        .map(|_| {
            let (a, b) =
                (Side::new(&clients, &certificate, None), Side::new(&servers, &certificate, listen.clone()));
            let (at_a, at_b) = connect(&a, &b);
            (a, at_a, b, at_b)
        })
        .collect();
    let took = started.elapsed().as_secs_f64();
    println!("{count} connections in {took:.1} s, {:.2} ms each", took * 1e3 / count as f64);
    println!("descriptors: {} beyond one for each client", descriptors() as i64 - count as i64);
    let started = Instant::now();
    for _ in 0..ROUNDS {
        links.iter().for_each(|(a, at_a, ..)| a.send(*at_a));
        for (_, _, b, at_b) in &links {
            b.wait_message();
            b.send(*at_b);
        }
        links.iter().for_each(|(a, ..)| a.wait_message());
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{:.0} messages/s both ways", (2 * ROUNDS * count) as f64 / seconds);
}
