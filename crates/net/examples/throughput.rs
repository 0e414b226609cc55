//! Measures two peers over loopback, each with its own shard and its own application thread: throughput with large and small
//! messages, and the round trip.
//!
//! ```sh
//! cargo run --release -p ossa-net --example throughput [seconds] [own | shared | tcp]      sockets; a shared port at one end
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_net::{Listen, OutMessage, Peer, PeerConfig, Runtime, RuntimeConfig, Sink, TcpMode};
use ossa_peer::{
    CandidateInit, Certificate, ChannelId, Config, DataChannelInit, Error, Event, MessageKind, SdpType,
};

/// What the sender has queued and not sent yet, at most: the high-water mark of the documentation.
const WINDOW: usize = 1 << 20;

struct Bench {
    control: Sender<Event>,
    messages: AtomicU64,
    bytes: AtomicU64,
    buffered: AtomicUsize,
    /// Answers each message with the same, at once, from the thread that got it.
    echo: Sender<Bytes>,
}

impl Sink for Bench {
    fn event(&self, event: Event) {
        match event {
            Event::Message { data, .. } => {
                self.messages.fetch_add(1, Ordering::Relaxed);
                self.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
                if data.len() == 32 {
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

struct Side {
    peer: Peer,
    sink: Arc<Bench>,
    events: Receiver<Event>,
    echoes: Option<Receiver<Bytes>>,
}

/// Each side has a shard of its own, except where there are many.
fn side() -> Side {
    side_with(|_| {})
}

fn side_with(set: impl FnOnce(&mut PeerConfig)) -> Side {
    make(&Runtime::new(RuntimeConfig { shards: Some(1) }).expect("a runtime"), set)
}

fn side_on(runtime: &Arc<Runtime>) -> Side {
    make(runtime, |_| {})
}

/// How the second argument says that the two ends are to be connected.
fn pair() -> (Side, Side) {
    match std::env::args().nth(2).as_deref() {
        None | Some("own") => (side(), side()),
        Some("shared") => (side(), side_with(|config| config.listen = Some(listen()))),
        Some("tcp") => (
            side_with(|config| config.tcp = TcpMode { active: true, passive: false }),
            side_with(|config| config.tcp = TcpMode { active: false, passive: true }),
        ),
        Some(other) => panic!("'{other}' is none of own, shared and tcp"),
    }
}

fn listen() -> Listen {
    let free = std::net::UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a free port");
    Listen { port: free.port(), announce: Vec::new(), announce_local: false }
}

fn make(runtime: &Arc<Runtime>, set: impl FnOnce(&mut PeerConfig)) -> Side {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_millis();
    let day = Duration::from_secs(86_400);
    let certificate =
        Certificate::generate(u64::try_from(now).expect("a sane clock"), day).expect("a certificate");
    let mut config = PeerConfig::new(Config::new(certificate));
    config.bind_address = Some([127, 0, 0, 1].into());
    set(&mut config);
    let ((control, events), (echo, echoes)) = (channel(), channel());
    let zero = AtomicU64::new(0);
    let sink = Arc::new(Bench {
        control,
        messages: zero,
        bytes: AtomicU64::new(0),
        buffered: AtomicUsize::new(0),
        echo,
    });
    let peer = Peer::new(runtime, config, sink.clone()).expect("a peer");
    Side { peer, sink, events, echoes: Some(echoes) }
}

fn over_tcp() -> bool {
    std::env::args().nth(2).as_deref() == Some("tcp")
}

fn forward(from: &Side, to: &Side) -> Option<ChannelId> {
    let event = from.events.recv_timeout(Duration::from_millis(1)).ok()?;
    match event {
        Event::IceCandidate { candidate, .. } if over_tcp() && !candidate.contains(" tcp ") => None,
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

fn connect(a: &Side, b: &Side) -> (ChannelId, ChannelId, Duration) {
    let started = Instant::now();
    let at_a = a
        .peer
        .with(|c, now| c.create_data_channel(now, DataChannelInit::default()))
        .flatten()
        .expect("a channel");
    let offer = a.peer.with(|c, now| {
        let sdp = c.create_offer(now, false)?;
        c.set_local_description(now, SdpType::Offer, &sdp).map(|()| sdp)
    });
    let answer = b.peer.with(|c, now| {
        c.set_remote_description(now, SdpType::Offer, &offer.flatten().expect("an offer"))?;
        let sdp = c.create_answer(now)?;
        c.set_local_description(now, SdpType::Answer, &sdp).map(|()| sdp)
    });
    a.peer
        .with(|c, now| c.set_remote_description(now, SdpType::Answer, &answer.flatten().expect("an answer")))
        .flatten()
        .expect("a good answer");
    let (mut open_a, mut open_b) = (None, None);
    while open_a.is_none() || open_b.is_none() {
        open_a = open_a.or(forward(a, b));
        open_b = open_b.or(forward(b, a));
    }
    (at_a, open_b.expect("the loop ends with it"), started.elapsed())
}

fn throughput(a: &Side, b: &Side, channel: ChannelId, size: usize, time: Duration) {
    let data = Bytes::from(vec![7; size]);
    // Small messages go out in batches, as one turn of JavaScript's event loop makes them.
    let batch = (16 * 1024 / size).max(1);
    let (started, messages, bytes) =
        (Instant::now(), b.sink.messages.load(Ordering::Relaxed), b.sink.bytes.load(Ordering::Relaxed));
    let cpu = cpu_seconds();
    while started.elapsed() < time {
        if a.sink.buffered.load(Ordering::Relaxed) > WINDOW {
            std::thread::sleep(Duration::from_micros(50));
            continue;
        }
        a.sink.buffered.fetch_add(size * batch, Ordering::Relaxed);
        let message = OutMessage { channel, kind: MessageKind::Binary, data: data.clone() };
        a.peer.send_batch(std::iter::repeat_n(message, batch));
    }
    let seconds = started.elapsed().as_secs_f64();
    let messages = (b.sink.messages.load(Ordering::Relaxed) - messages) as f64;
    let megabytes = (b.sink.bytes.load(Ordering::Relaxed) - bytes) as f64 / 1e6;
    println!(
        "{size:>8} bytes     {:>10.1} MB/s {:>12.0} messages/s {:>8.2} CPU s/GB",
        megabytes / seconds,
        messages / seconds,
        (cpu_seconds() - cpu) / (megabytes / 1e3),
    );
    let stats = a.peer.with(|c, now| format!("{:?}", c.stats(now))).expect("statistics");
    if std::env::var_os("STATS").is_some() {
        println!("{stats}");
    }
    // Let it run dry.
    while a.sink.buffered.load(Ordering::Relaxed) > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn round_trip(a: &mut Side, b: &mut Side, at_a: ChannelId, at_b: ChannelId, time: Duration) {
    let message =
        |channel| OutMessage { channel, kind: MessageKind::Binary, data: Bytes::from_static(&[1; 32]) };
    let (echoes, answers) = (b.echoes.take().expect("once"), a.echoes.take().expect("once"));
    let mut times = Vec::new();
    std::thread::scope(|scope| {
        let b = &b.peer;
        let echo = scope.spawn(move || {
            while echoes.recv_timeout(Duration::from_millis(500)).is_ok() {
                b.send_batch([message(at_b)]);
            }
        });
        let started = Instant::now();
        while started.elapsed() < time {
            let sent = Instant::now();
            a.peer.send_batch([message(at_a)]);
            answers.recv().expect("an answer");
            times.push(sent.elapsed());
        }
        echo.join().expect("no panic");
    });
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    println!(
        "round trip 32 B    {:>10.1} us p50 {:>10.1} us p90 {:>10.1} us p99",
        at(0.5),
        at(0.9),
        at(0.99)
    );
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> =
        stat.rsplit(')').next().unwrap_or("").split(' ').skip(12).take(2).flat_map(str::parse).collect();
    fields.iter().sum::<f64>() / 100.0
}

fn set_up() {
    let mut times: Vec<Duration> = (0..50).map(|_| connect(&side(), &side()).2).collect();
    times.sort_unstable();
    let ms = |i: usize| times[i].as_secs_f64() * 1e3;
    println!("set-up             {:>10.2} ms p50 {:>10.2} ms p90 {:>10.2} ms max", ms(24), ms(44), ms(49));
}

fn memory() {
    let runtime = Runtime::shared().expect("a runtime");
    connect(&side_on(&runtime), &side_on(&runtime));
    let before = resident_kilobytes();
    let pairs: Vec<_> = (0..100)
        .map(|_| {
            let (a, b) = (side_on(&runtime), side_on(&runtime));
            connect(&a, &b);
            (a, b)
        })
        .collect();
    let kilobytes = resident_kilobytes() - before;
    println!("memory             {:>10.1} KB for each end of an idle connection", kilobytes / 200.0);
    drop(pairs);
}

fn resident_kilobytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0)
}

fn main() {
    if std::env::args().nth(2).is_none() {
        set_up();
        memory();
    }
    let seconds = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(3.0);
    let time = Duration::from_secs_f64(seconds);
    let (mut a, mut b) = pair();
    let (at_a, at_b, _) = connect(&a, &b);
    for size in [64 * 1024, 16 * 1024, 1024, 64] {
        throughput(&a, &b, at_a, size, time);
    }
    round_trip(&mut a, &mut b, at_a, at_b, time);
}
