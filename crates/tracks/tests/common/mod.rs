//! Two connections over loopback, with tracks.
#![allow(dead_code, unreachable_pub)]

#[path = "../../../codec/tests/support/mod.rs"]
pub mod support;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use ossa_codec::pcm::{Block, Encoding, Format};
use ossa_codec::track::{Attachment, Feed, Sink as AudioSink, Track};
use ossa_media::{Codec, EncodedFrame, Kind, MediaEvent};
use ossa_net::{Peer, PeerConfig, Runtime, RuntimeConfig, Sink};
use ossa_peer::{
    CandidateInit, Certificate, ChannelId, Config, Connection, ConnectionState, Error, Event,
    MediaCapabilities, MediaSettings, SdpType, TransceiverId, TransceiverInit,
};
use ossa_tracks::{Tracks, play};

/// No test waits longer for anything. Far more than anything takes, also on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The sink of a connection: media to its tracks, the rest to whoever waits for it.
#[derive(Default)]
struct Events {
    tracks: OnceLock<Arc<Tracks>>,
    queue: Mutex<VecDeque<Event>>,
    arrived: Condvar,
    /// Encodings that a key frame was asked for of.
    key_frames: Mutex<Vec<usize>>,
}

impl Sink for Events {
    fn event(&self, event: Event) {
        match event {
            Event::Media(event) => {
                if let MediaEvent::KeyFrameRequested { encoding, .. } = *event {
                    self.key_frames.lock().unwrap().push(encoding);
                }
                if let Some(tracks) = self.tracks.get() {
                    tracks.handle(*event);
                }
            }
            Event::MediaChanged => {
                if let Some(tracks) = self.tracks.get() {
                    tracks.changed();
                }
            }
            event => self.queue.lock().unwrap().push_back(event),
        }
    }

    fn flush(&self) {
        self.arrived.notify_all();
    }

    fn ready(&self) -> bool {
        true
    }

    fn send_failed(&self, _: ChannelId, _: usize, error: Error) {
        panic!("{error:?}");
    }
}

/// A connection with its tracks.
pub struct End {
    pub peer: Peer,
    pub tracks: Arc<Tracks>,
    /// Why what was given to a sender does not go out.
    pub faults: Arc<Mutex<Vec<String>>>,
    events: Arc<Events>,
}

pub fn runtime() -> Arc<Runtime> {
    Runtime::new(RuntimeConfig { shards: Some(1) }).unwrap()
}

impl End {
    pub fn new(runtime: &Arc<Runtime>) -> Self {
        Self::with(runtime, MediaCapabilities::default())
    }

    /// One whose path is known to carry no more than this many bytes.
    pub fn narrow(runtime: &Arc<Runtime>, mtu: usize) -> Self {
        Self::configured(runtime, MediaCapabilities::default(), |config| config.dtls.mtu = mtu)
    }

    pub fn with(runtime: &Arc<Runtime>, capabilities: MediaCapabilities) -> Self {
        Self::configured(runtime, capabilities, |_| ())
    }

    fn configured(
        runtime: &Arc<Runtime>,
        capabilities: MediaCapabilities,
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let wall_clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let millis = wall_clock.as_millis() as u64;
        let mut config = Config::new(Certificate::generate(millis, Duration::from_secs(86_400)).unwrap());
        config.media = Some(MediaSettings { capabilities: capabilities.into(), wall_clock });
        configure(&mut config);
        let mut config = PeerConfig::new(config);
        config.bind_address = Some([127, 0, 0, 1].into());
        let events = Arc::new(Events::default());
        let peer = Peer::new(runtime, config, events.clone()).unwrap();
        let faults: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = faults.clone();
        let tracks = Arc::new(Tracks::new(&peer, Box::new(move |_, fault| told.lock().unwrap().push(fault))));
        let _ = events.tracks.set(tracks.clone());
        Self { peer, tracks, faults, events }
    }

    pub fn call<R>(&self, f: impl FnOnce(&mut Connection, Instant) -> Result<R, Error>) -> R {
        self.peer.with(f).flatten().unwrap()
    }

    pub fn add(&self, kind: Kind) -> TransceiverId {
        self.call(|connection, _| connection.add_transceiver(kind, TransceiverInit::default()))
    }

    /// Sends picture `number` of a camera that makes 30 a second, in VP8.
    pub fn show(&self, id: TransceiverId, encoding: usize, number: u32, key_frame: bool, data: Vec<u8>) {
        self.call(|connection, now| {
            let payloads = &connection.media_parameters()[0].send.payloads;
            let payload = payloads.iter().find(|payload| payload.codec == Codec::Vp8).unwrap().number;
            let frame = EncodedFrame {
                payload,
                timestamp: number * 3_000,
                data: data.into(),
                marker: false,
                key_frame,
                audio_level: None,
                video_orientation: None,
                csrcs: Vec::new(),
            };
            connection.send_frame(now, id, encoding, frame)
        });
    }

    /// Whether the other side has asked for a key frame since.
    pub fn take_key_frame_request(&self) -> bool {
        !self.take_key_frame_requests().is_empty()
    }

    /// Of which encodings.
    pub fn take_key_frame_requests(&self) -> Vec<usize> {
        std::mem::take(&mut self.events.key_frames.lock().unwrap())
    }

    /// The transceiver at this place.
    pub fn transceiver(&self, at: usize) -> TransceiverId {
        self.peer.with(|connection, _| connection.transceivers()[at].id).unwrap()
    }

    fn candidates(&self) -> Vec<CandidateInit> {
        let events = std::mem::take(&mut *self.events.queue.lock().unwrap());
        let candidates = events.into_iter().filter_map(|event| match event {
            Event::IceCandidate { candidate, mid, m_line_index, ufrag, .. } => Some(CandidateInit {
                candidate,
                sdp_mid: Some(mid),
                sdp_m_line_index: Some(m_line_index),
                username_fragment: Some(ufrag),
            }),
            _ => None,
        });
        candidates.collect()
    }
}

/// An offer of `a` and the answer of `b`. The sections that `b` got send as well, as far as they may.
pub fn negotiate(a: &End, b: &End) {
    let offer = a.call(|connection, now| {
        let sdp = connection.create_offer(now, false)?;
        connection.set_local_description(now, SdpType::Offer, &sdp)?;
        Ok(sdp)
    });
    let answer = b.call(|connection, now| {
        connection.set_remote_description(now, SdpType::Offer, &offer)?;
        for transceiver in connection.transceivers() {
            connection.set_direction(now, transceiver.id, ossa_peer::Direction::SendRecv)?;
        }
        let sdp = connection.create_answer(now)?;
        connection.set_local_description(now, SdpType::Answer, &sdp)?;
        Ok(sdp)
    });
    a.call(|connection, now| connection.set_remote_description(now, SdpType::Answer, &answer));
}

/// Negotiates, and hands over candidates until both are connected.
pub fn connect(a: &End, b: &End) {
    negotiate(a, b);
    wait_until("connected", || {
        for (from, to) in [(a, b), (b, a)] {
            for init in from.candidates() {
                to.call(|connection, now| connection.add_ice_candidate(now, &init));
            }
        }
        let connected = |end: &End| {
            end.peer.with(|connection, _| connection.snapshot().connection_state).unwrap()
                == ConnectionState::Connected
        };
        connected(a) && connected(b)
    });
}

/// For what is not an event.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "not yet: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A tone of half of full scale for so long, played in real time.
pub fn tone_track(hertz: f64, format: Format, seconds: usize) -> Track {
    let samples =
        support::tone(hertz, format.rate(), format.channels().count(), format.rate() as usize * seconds);
    let feed = Feed::new(format, Encoding::F32, Duration::from_secs(seconds as u64 + 1), Box::new(|| ()));
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    assert_eq!(feed.write(&bytes), bytes.len());
    feed.finish();
    let track = feed.source().track();
    play(Arc::new(feed)).unwrap();
    track
}

/// All that came out of a track.
#[derive(Default)]
pub struct Heard {
    state: Mutex<(Option<Format>, Vec<f32>, bool)>,
    arrived: Condvar,
}

impl AudioSink for Heard {
    fn take(&self, block: &Block) {
        let mut state = self.state.lock().unwrap();
        state.0 = Some(block.format());
        state.1.extend_from_slice(block.samples());
        self.arrived.notify_all();
    }

    fn end(&self) {
        self.state.lock().unwrap().2 = true;
        self.arrived.notify_all();
    }
}

impl Heard {
    pub fn of(track: &Track) -> (Arc<Self>, Attachment) {
        let heard = Arc::new(Self::default());
        let attachment = track.attach(heard.clone());
        (heard, attachment)
    }

    /// What was heard, once it is so many seconds.
    pub fn wait(&self, seconds: f64) -> (Format, Vec<f32>) {
        let state = self.state.lock().unwrap();
        let long = |(format, samples, _): &mut (Option<Format>, Vec<f32>, bool)| {
            format.is_none_or(|format| {
                (samples.len() as f64) < seconds * f64::from(format.rate()) * format.channels().count() as f64
            })
        };
        let (state, waited) = self.arrived.wait_timeout_while(state, PATIENCE, long).unwrap();
        assert!(!waited.timed_out(), "only {} samples were heard", state.1.len());
        (state.0.unwrap(), state.1.clone())
    }

    /// Until this tone, as loud as it was sent, is heard for 400 ms: a machine that is busy elsewhere makes audio late, and what is late is
    /// made up.
    pub fn wait_tone(&self, hertz: f64) {
        let (mut level, mut clean) = (0.0, 0.0);
        for _ in 0..60 {
            self.clear();
            let (format, samples) = self.wait(0.4);
            let samples = support::channel(&samples, format.channels().count(), 0);
            (level, clean) = support::measure(&samples, hertz, format.rate());
            if (0.42..0.58).contains(&level) && clean > 12.0 {
                return;
            }
        }
        panic!("no tone of {hertz} Hz: its level is {level}, and it is {clean} dB above the rest");
    }

    /// Until it is as quiet as that.
    pub fn wait_silence(&self) {
        let quiet = (0..300).any(|_| {
            self.clear();
            support::rms(&self.wait(0.1).1) < 0.01
        });
        assert!(quiet, "it does not get quiet");
    }

    /// Until the track is over.
    pub fn wait_end(&self) {
        let state = self.state.lock().unwrap();
        let waited = self.arrived.wait_timeout_while(state, PATIENCE, |state| !state.2).unwrap().1;
        assert!(!waited.timed_out(), "the track is not over");
    }

    pub fn frames(&self) -> usize {
        self.state.lock().unwrap().1.len()
    }

    pub fn clear(&self) {
        self.state.lock().unwrap().1.clear();
    }
}
