//! The link, and configurations to put on both ends of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::config::{Encoding, Limits, Payload, ReceiverConfig, SenderConfig, SessionConfig, SsrcHint};
use crate::event::MediaEvent;
use crate::frame::{EncodedFrame, ReceivedFrame};
use crate::session::MediaSession;
use crate::srtp::Outbound;
use crate::testing::origin;
use crate::types::{Codec, Extension, Kind, ReceiverId, SenderId, SrtpKeys, SrtpProfile};

pub(super) const AUDIO: SenderId = SenderId(1);
pub(super) const VIDEO: SenderId = SenderId(2);
pub(super) const AUDIO_IN: ReceiverId = ReceiverId(1);
pub(super) const VIDEO_IN: ReceiverId = ReceiverId(2);

/// Which of two sides something happens to.
pub(super) type End = usize;

/// Whether a datagram is lost on its way from one end; told its number.
type Loss = Box<dyn FnMut(End, u64) -> bool>;

pub(super) struct Link {
    pub(super) now: Instant,
    pub(super) ends: [MediaSession; 2],
    pub(super) events: [Vec<MediaEvent>; 2],
    pub(super) delay: Duration,
    pub(super) loss: Loss,
    /// Bits per second that end 0 can send; what is more waits.
    pub(super) rate: Option<u64>,
    /// What would wait longer than this is dropped.
    pub(super) queue: Option<Duration>,
    /// How long each packet that end 0 has sent waited; `None` if it was dropped.
    pub(super) waits: Vec<Option<Duration>>,
    busy_until: Instant,
    flying: BTreeMap<(Instant, u64), (End, Bytes)>,
    count: u64,
    pub(super) bytes: [usize; 2],
}

pub(super) fn keys(end: End, profile: SrtpProfile) -> SrtpKeys {
    let exported: Vec<u8> = (0..100).collect();
    SrtpKeys::from_exporter(profile, &exported, end == 0).unwrap()
}

pub(super) fn config(end: End) -> SessionConfig {
    SessionConfig {
        keys: keys(end, SrtpProfile::AeadAes128Gcm),
        cname: format!("end {end}"),
        seed: [end as u8 + 1; 32],
        max_packet: 1200,
        wall_clock: Duration::from_secs(1_700_000_000 + 100 * end as u64),
        limits: Limits::default(),
    }
}

/// Seals whatever a hostile end 0 wants to say.
pub(super) fn sealer() -> Outbound {
    let keys = keys(0, SrtpProfile::AeadAes128Gcm);
    Outbound::new(keys.profile, &keys.local_key, &keys.local_salt).unwrap()
}

/// End 1 allows so many bits per second (draft-alvestrand-rmcat-remb-03), sealed. Once for each link: all have the same index.
pub(super) fn remb(bps: u32) -> Vec<u8> {
    let mut remb = vec![0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, b'R', b'E', b'M', b'B', 1];
    // 18 bits of mantissa behind an exponent of 6.
    let exponent = 14u32.saturating_sub(bps.leading_zeros());
    let [_, high, middle, low] = (bps >> exponent).to_be_bytes();
    remb.extend([(exponent as u8) << 2 | high, middle, low, 0, 0, 0, 20]);
    let keys = keys(1, SrtpProfile::AeadAes128Gcm);
    let mut sealer = Outbound::new(keys.profile, &keys.local_key, &keys.local_salt).unwrap();
    assert!(sealer.seal_rtcp(&mut remb));
    remb
}

impl Link {
    pub(super) fn new() -> Self {
        Self::with([config(0), config(1)])
    }

    pub(super) fn with(configs: [SessionConfig; 2]) -> Self {
        let now = origin();
        Self {
            now,
            ends: configs.map(|config| MediaSession::new(now, config).unwrap()),
            events: Default::default(),
            delay: Duration::from_millis(50),
            loss: Box::new(|_, _| false),
            rate: None,
            queue: None,
            waits: Vec::new(),
            busy_until: now,
            flying: BTreeMap::new(),
            count: 0,
            bytes: [0; 2],
        }
    }

    /// Audio and video from end 0 to end 1.
    pub(super) fn one_way(video: &Payload) -> Self {
        let mut link = Self::new();
        let now = link.now;
        link.ends[0].set_sender(now, AUDIO, audio_sender("a", 10)).unwrap();
        link.ends[0].set_sender(now, VIDEO, video_sender("v", 20, video)).unwrap();
        link.ends[1].set_receiver(now, AUDIO_IN, audio_receiver("a")).unwrap();
        link.ends[1].set_receiver(now, VIDEO_IN, video_receiver("v", video)).unwrap();
        link
    }

    /// Loses each packet with this probability, the same ones in each run.
    pub(super) fn lose(&mut self, percent: u64) {
        let mut state = 1u64;
        self.loss = Box::new(move |_, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % 100 < percent
        });
    }

    pub(super) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.pump();
            let timers = self.ends.iter().filter_map(MediaSession::poll_timeout);
            let flying = self.flying.keys().map(|&(at, _)| at);
            let Some(next) = timers.chain(flying).min().filter(|&next| next <= end) else { break };
            // What is overdue after all was polled would turn in circles.
            self.now = next.max(self.now + Duration::from_micros(1));
            while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (to, datagram) = entry.remove();
                self.ends[to].handle_datagram(self.now, &datagram);
            }
            let now = self.now;
            self.ends.iter_mut().for_each(|session| session.handle_timeout(now));
        }
        self.now = end;
    }

    fn pump(&mut self) {
        for from in 0..2 {
            while let Some(datagram) = self.ends[from].poll_transmit(self.now) {
                assert!(datagram.len() <= 1200, "{} bytes", datagram.len());
                self.count += 1;
                self.bytes[from] += datagram.len();
                let mut at = self.now + self.delay;
                if let (0, Some(rate)) = (from, self.rate) {
                    let wait = self.busy_until.saturating_duration_since(self.now);
                    let room = self.queue.is_none_or(|queue| wait <= queue);
                    self.waits.push(room.then_some(wait));
                    if !room {
                        continue;
                    }
                    let takes = Duration::from_nanos(datagram.len() as u64 * 8_000_000_000 / rate);
                    self.busy_until = self.busy_until.max(self.now) + takes;
                    at = self.busy_until + self.delay;
                }
                if !(self.loss)(from, self.count) {
                    self.flying.insert((at, self.count), (1 - from, datagram));
                }
            }
            while let Some(event) = self.ends[from].poll_event() {
                self.events[from].push(event);
            }
        }
    }

    /// Sends audio each 20 ms and, if wanted, video each 40 ms from `from`, for so many seconds.
    pub(super) fn call(&mut self, from: End, seconds: u32, video: bool) {
        for tick in 0..seconds * 50 {
            let now = self.now;
            self.ends[from].send_frame(now, AUDIO, 0, audio_frame(tick)).unwrap();
            if video && tick % 2 == 0 {
                let asked = self.events[from]
                    .iter()
                    .any(|event| matches!(event, MediaEvent::KeyFrameRequested { .. }));
                self.events[from].retain(|event| !matches!(event, MediaEvent::KeyFrameRequested { .. }));
                let frame = video_frame(tick / 2, tick == 0 || asked);
                self.ends[from].send_frame(now, VIDEO, 0, frame).unwrap();
            }
            self.run(Duration::from_millis(20));
        }
    }

    pub(super) fn frames(&self, end: End, of: ReceiverId) -> Vec<&ReceivedFrame> {
        self.events[end]
            .iter()
            .filter_map(|event| match event {
                MediaEvent::Frame { receiver, frame, .. } if *receiver == of => Some(frame),
                _ => None,
            })
            .collect()
    }
}

pub(super) fn payload(number: u8, codec: Codec, clock_rate: u32) -> Payload {
    Payload::plain(number, codec, clock_rate)
}

pub(super) fn vp8() -> Payload {
    Payload { rtx: Some(97), nack: true, pli: true, fir: true, ..payload(96, Codec::Vp8, 90_000) }
}

fn extensions() -> Vec<(Extension, u8)> {
    vec![
        (Extension::Mid, 1),
        (Extension::AbsSendTime, 2),
        (Extension::TransportCc, 3),
        (Extension::AudioLevel, 4),
        (Extension::Rid, 5),
        (Extension::RepairedRid, 6),
    ]
}

pub(super) fn encoding(ssrc: u32, rtx_ssrc: Option<u32>, rid: Option<&str>) -> Encoding {
    Encoding { rid: rid.map(str::to_owned), ssrc, rtx_ssrc, max_bitrate: None, active: true }
}

pub(super) fn audio_sender(mid: &str, ssrc: u32) -> SenderConfig {
    SenderConfig {
        kind: Kind::Audio,
        mid: Some(mid.into()),
        encodings: vec![encoding(ssrc, None, None)],
        payloads: vec![payload(111, Codec::Opus, 48_000)],
        extensions: extensions(),
        active: true,
    }
}

pub(super) fn video_sender(mid: &str, ssrc: u32, format: &Payload) -> SenderConfig {
    SenderConfig {
        kind: Kind::Video,
        mid: Some(mid.into()),
        encodings: vec![encoding(ssrc, format.rtx.map(|_| ssrc + 1), None)],
        payloads: vec![format.clone()],
        extensions: extensions(),
        active: true,
    }
}

pub(super) fn audio_receiver(mid: &str) -> ReceiverConfig {
    ReceiverConfig {
        kind: Kind::Audio,
        mid: Some(mid.into()),
        rids: Vec::new(),
        ssrcs: Vec::new(),
        payloads: vec![payload(111, Codec::Opus, 48_000)],
        extensions: extensions(),
        active: true,
        raw: false,
    }
}

pub(super) fn video_receiver(mid: &str, format: &Payload) -> ReceiverConfig {
    ReceiverConfig { kind: Kind::Video, payloads: vec![format.clone()], ..audio_receiver(mid) }
}

pub(super) fn hint(ssrc: u32, rtx: Option<u32>) -> SsrcHint {
    SsrcHint { ssrc, rtx }
}

pub(super) fn audio_frame(tick: u32) -> EncodedFrame {
    EncodedFrame {
        payload: 111,
        timestamp: tick.wrapping_mul(960),
        data: Bytes::from(format!("twenty milliseconds, number {tick}")),
        marker: tick == 0,
        key_frame: true,
        audio_level: Some(crate::frame::AudioLevel { voice: true, level: 30 }),
        video_orientation: None,
        csrcs: Vec::new(),
    }
}

/// A frame of VP8 that takes three packets.
pub(super) fn video_frame(number: u32, key_frame: bool) -> EncodedFrame {
    let mut data = vec![0x10 | u8::from(!key_frame), 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00];
    data.extend((0..2900u32).map(|at| (at + number) as u8));
    EncodedFrame {
        payload: 96,
        timestamp: number.wrapping_mul(3600),
        data: Bytes::from(data),
        marker: false,
        key_frame,
        audio_level: None,
        video_orientation: None,
        csrcs: Vec::new(),
    }
}
