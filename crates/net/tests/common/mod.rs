//! Peers for tests, with a sink that collects events and signaling by function call.
#![allow(dead_code, unreachable_pub)]

pub mod coturn;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_net::{IceServer, OutMessage, Peer, PeerConfig, Runtime, RuntimeConfig, Sink, parse_ice_server_url};
use ossa_peer::{
    CandidateInit, Certificate, ChannelId, Config, Connection, DataChannelInit, Error, Event, GatheringState,
    IceCandidateError, MessageKind, SdpType,
};
use parking_lot::{Condvar, Mutex};

/// No test waits longer for anything. Far more than anything takes, also on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
pub struct Collector {
    events: Mutex<VecDeque<Event>>,
    arrived: Condvar,
    stalled: AtomicBool,
    pub failed: Mutex<Vec<(ChannelId, usize, Error)>>,
}

impl Sink for Collector {
    fn event(&self, event: Event) {
        self.events.lock().push_back(event);
    }

    fn flush(&self) {
        self.arrived.notify_all();
    }

    fn ready(&self) -> bool {
        !self.stalled.load(Ordering::SeqCst)
    }

    fn send_failed(&self, channel: ChannelId, bytes: usize, error: Error) {
        self.failed.lock().push((channel, bytes, error));
    }
}

impl Collector {
    pub fn stall(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::SeqCst);
    }

    pub fn try_next(&self) -> Option<Event> {
        self.events.lock().pop_front()
    }

    /// The next event, or `None` at `deadline`.
    pub fn next(&self, deadline: Instant) -> Option<Event> {
        let mut events = self.events.lock();
        while events.is_empty() {
            if self.arrived.wait_until(&mut events, deadline).timed_out() {
                break;
            }
        }
        events.pop_front()
    }
}

pub struct TestPeer {
    pub peer: Peer,
    pub sink: Arc<Collector>,
}

pub fn certificate() -> Certificate {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let millis = u64::try_from(now.as_millis()).unwrap();
    Certificate::generate(millis, Duration::from_secs(86_400)).unwrap()
}

/// Loopback only, whatever interfaces the machine has.
pub fn loopback_config() -> PeerConfig {
    let mut config = PeerConfig::new(Config::new(certificate()));
    config.bind_address = Some([127, 0, 0, 1].into());
    config
}

pub fn server(url: &str, username: Option<&str>, credential: Option<&str>) -> IceServer {
    IceServer {
        urls: vec![parse_ice_server_url(url).unwrap()],
        username: username.map(str::to_owned),
        credential: credential.map(str::to_owned),
    }
}

pub fn runtime() -> Arc<Runtime> {
    Runtime::new(RuntimeConfig { shards: Some(1) }).unwrap()
}

impl TestPeer {
    pub fn new(runtime: &Arc<Runtime>, config: PeerConfig) -> Self {
        let sink = Arc::new(Collector::default());
        Self { peer: Peer::new(runtime, config, sink.clone()).unwrap(), sink }
    }

    pub fn channel(&self, label: &str) -> ChannelId {
        let init = DataChannelInit { label: label.into(), ..DataChannelInit::default() };
        self.call(|c, now| c.create_data_channel(now, init))
    }

    pub fn call<R>(&self, f: impl FnOnce(&mut Connection, Instant) -> Result<R, Error>) -> R {
        self.peer.with(f).flatten().unwrap()
    }

    /// Creates an offer and applies it.
    pub fn offer(&self, ice_restart: bool) -> String {
        self.call(|c, now| {
            let sdp = c.create_offer(now, ice_restart)?;
            c.set_local_description(now, SdpType::Offer, &sdp)?;
            Ok(sdp)
        })
    }

    /// Applies an offer and answers it.
    pub fn answer(&self, offer: &str) -> String {
        self.call(|c, now| {
            c.set_remote_description(now, SdpType::Offer, offer)?;
            let sdp = c.create_answer(now)?;
            c.set_local_description(now, SdpType::Answer, &sdp)?;
            Ok(sdp)
        })
    }

    pub fn accept(&self, answer: &str) {
        self.call(|c, now| c.set_remote_description(now, SdpType::Answer, answer));
    }

    pub fn add_candidate(&self, init: &CandidateInit) {
        self.call(|c, now| c.add_ice_candidate(now, init));
    }

    pub fn send(&self, channel: ChannelId, data: impl Into<Bytes>) {
        self.peer.send_batch([OutMessage { channel, kind: MessageKind::Binary, data: data.into() }]);
    }

    /// Waits for the first event for which `f` gives something; others are dropped.
    pub fn wait<R>(&self, what: &str, mut f: impl FnMut(Event) -> Option<R>) -> R {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Some(event) = self.sink.next(deadline) else { panic!("{what} did not happen") };
            if let Some(result) = f(event) {
                return result;
            }
        }
    }

    pub fn wait_message(&self) -> Bytes {
        self.wait("a message", |event| match event {
            Event::Message { data, .. } => Some(data),
            _ => None,
        })
    }
}

/// What a candidate event says, in the form in which it is signaled.
pub fn signaled(event: &Event) -> Option<CandidateInit> {
    match event {
        Event::IceCandidate { candidate, mid, m_line_index, ufrag, .. } => Some(CandidateInit {
            candidate: candidate.clone(),
            sdp_mid: Some(mid.clone()),
            sdp_m_line_index: Some(*m_line_index),
            username_fragment: Some(ufrag.clone()),
        }),
        Event::EndOfCandidates { mid, m_line_index, ufrag, .. } => Some(CandidateInit {
            candidate: String::new(),
            sdp_mid: Some(mid.clone()),
            sdp_m_line_index: Some(*m_line_index),
            username_fragment: Some(ufrag.clone()),
        }),
        _ => None,
    }
}

/// A pair of connected peers, the id of the channel at each, and every event up to then.
pub struct Connected {
    pub a: TestPeer,
    pub b: TestPeer,
    pub at_a: ChannelId,
    pub at_b: ChannelId,
    pub events: Vec<Event>,
}

pub fn connect(a: TestPeer, b: TestPeer) -> Connected {
    connect_by(a, b, |_| true)
}

/// Connects by candidates of a certain kind only.
pub fn connect_by(a: TestPeer, b: TestPeer, passes: impl Fn(&str) -> bool) -> Connected {
    let at_a = a.channel("test");
    let offer = a.offer(false);
    let answer = b.answer(&offer);
    a.accept(&answer);
    let (mut open_a, mut at_b) = (false, None);
    let mut events = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while !open_a || at_b.is_none() {
        for (from, to) in [(&a, &b), (&b, &a)] {
            let Some(event) = from.sink.next((Instant::now() + Duration::from_millis(5)).min(deadline))
            else {
                assert!(Instant::now() < deadline, "no connection; events so far: {events:#?}");
                continue;
            };
            if let Some(init) = signaled(&event).filter(|init| passes(&init.candidate)) {
                to.add_candidate(&init);
            }
            match &event {
                Event::ChannelOpen { id, .. } if std::ptr::eq(from, &a) => open_a |= *id == at_a,
                Event::ChannelOpen { id, .. } => at_b = Some(*id),
                _ => {}
            }
            events.push(event);
        }
    }
    let at_b = at_b.expect("the loop ends with it");
    Connected { a, b, at_a, at_b, events }
}

/// An ICE restart by `a`: hands the candidates over until both have told all of theirs. Those of `a`.
pub fn restart_ice(a: &TestPeer, b: &TestPeer) -> Vec<String> {
    let offer = a.offer(true);
    let answer = b.answer(&offer);
    a.accept(&answer);
    let deadline = Instant::now() + PATIENCE;
    let (mut ended, mut candidates) = (0, Vec::new());
    while ended < 2 {
        for (from, to) in [(a, b), (b, a)] {
            let Some(event) = from.sink.next(Instant::now() + Duration::from_millis(5)) else {
                assert!(Instant::now() < deadline, "the candidates have no end");
                continue;
            };
            let Some(init) = signaled(&event) else { continue };
            ended += usize::from(init.candidate.is_empty());
            to.add_candidate(&init);
            if std::ptr::eq(from, a) && !init.candidate.is_empty() {
                candidates.push(init.candidate);
            }
        }
    }
    candidates
}

/// A connected pair over loopback on one shard.
pub fn loopback_pair(runtime: &Arc<Runtime>) -> Connected {
    let peer = || TestPeer::new(runtime, loopback_config());
    connect(peer(), peer())
}

/// For what is not an event.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "not yet: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Candidates and errors of a gathering, and the peer, which keeps its allocations as long as it lives.
pub fn gather(config: PeerConfig) -> (Vec<String>, Vec<IceCandidateError>, TestPeer) {
    let peer = TestPeer::new(&runtime(), config);
    peer.channel("test");
    peer.offer(false);
    let (mut candidates, mut errors) = (Vec::new(), Vec::new());
    peer.wait("the end of gathering", |event| match event {
        Event::IceCandidate { candidate, .. } => {
            candidates.push(candidate);
            None
        }
        Event::IceCandidateError(error) => {
            errors.push(error);
            None
        }
        Event::IceGatheringState { state: GatheringState::Complete, .. } => Some(()),
        _ => None,
    });
    (candidates, errors, peer)
}
