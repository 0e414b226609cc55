//! A call in virtual time: encoded, lost and delayed on the way, decoded and played out.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_codec::pcm::{Block, Channels, Format};
use ossa_media::jitter::{JitterBuffer, JitterConfig};
use ossa_media::{Codec, ExtensionValues, Kind, Payload, RtpPacket};

use super::playout::{Playout, PlayoutStats};
use super::receiving::Decoding;
use super::sending::Encoding;

const MS: Duration = Duration::from_millis(1);

fn payload(codec: Codec) -> Payload {
    let (number, clock_rate) = match codec {
        Codec::Opus => (111, 48_000),
        Codec::Pcmu => (0, 8_000),
        _ => (8, 8_000),
    };
    Payload { fmtp: "useinbandfec=1".into(), ..Payload::plain(number, codec, clock_rate) }
}

/// One way of a call, whose sender speaks without a pause.
struct Call {
    now: Instant,
    encoding: Encoding,
    /// How much of the tone was spoken, in samples.
    spoken: u32,
    sequence: u16,
    /// On its way, in any order.
    flying: Vec<(Instant, RtpPacket)>,
    jitter: JitterBuffer,
    decoding: Decoding,
    playout: Playout,
    /// The milliseconds from the speaker's clock to that of the playout.
    phase: u128,
    heard: Vec<f32>,
    /// Blocks of which hardly anything is heard.
    gaps: usize,
}

impl Call {
    fn new(codec: Codec) -> Self {
        let payloads = vec![payload(Codec::Opus), payload(Codec::Pcmu), payload(Codec::Pcma)];
        let mut decoding = Decoding::default();
        decoding.set_payloads(payloads.clone());
        let now = Instant::now();
        Self {
            now,
            encoding: Encoding::new(payload(codec), None, (u32::MAX - 5_000, now)),
            spoken: 0,
            sequence: 65_500,
            flying: Vec::new(),
            jitter: JitterBuffer::new(JitterConfig::new(Kind::Audio, payloads)),
            decoding,
            playout: Playout::default(),
            phase: 7,
            heard: Vec::new(),
            gaps: 0,
        }
    }

    /// 10 ms of a tone, or of silence.
    fn speak(&mut self, loud: bool, fate: &mut impl FnMut(u16) -> Option<Duration>) {
        let samples: Vec<f32> = (0..480)
            .map(|at| (self.spoken + at) as f32 * 440.0 * std::f32::consts::TAU / 48_000.0)
            .map(|angle| if loud { 0.5 * angle.sin() } else { 0.0 })
            .collect();
        self.spoken += 480;
        let mut frames = Vec::new();
        let block = Block::new(Format::new(48_000, Channels::Mono).unwrap(), &samples).unwrap();
        self.encoding.push(self.now, &block, &mut frames);
        for frame in frames {
            let packet = RtpPacket {
                payload: frame.payload,
                marker: frame.marker,
                sequence: self.sequence,
                timestamp: frame.timestamp,
                ssrc: 7,
                csrcs: Vec::new(),
                extensions: ExtensionValues::default(),
                data: frame.data,
            };
            self.sequence = self.sequence.wrapping_add(1);
            if let Some(delay) = fate(self.sequence) {
                self.flying.push((self.now + delay, packet));
            }
        }
    }

    /// A millisecond passes.
    fn step(&mut self, tick: bool) {
        self.now += MS;
        let now = self.now;
        let (arrived, flying) = self.flying.drain(..).partition(|(at, _)| *at <= now);
        self.flying = flying;
        let arrived: Vec<(Instant, RtpPacket)> = arrived;
        for (at, packet) in arrived {
            self.jitter.handle_packet(at, packet, false);
        }
        while let Some(frame) = self.jitter.poll_frame(now) {
            self.decoding.frame(now, 7, &frame, &mut self.playout);
        }
        if !tick {
            return;
        }
        if self.playout.runs_out() {
            self.decoding.conceal(now, &mut self.playout);
        }
        for block in self.playout.tick(now) {
            let loudest = block.samples().iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
            self.gaps += usize::from(loudest < 0.02);
            self.heard.extend_from_slice(block.samples());
        }
    }

    /// So much time of speech; `fate` says how long each packet takes, if it arrives.
    fn run(&mut self, time: Duration, loud: bool, mut fate: impl FnMut(u16) -> Option<Duration>) {
        for step in 0..time.as_millis() {
            if step % 10 == 0 {
                self.speak(loud, &mut fate);
            }
            self.step(step % 10 == self.phase);
        }
    }

    fn stats(&self) -> PlayoutStats {
        self.playout.stats()
    }
}

/// Loses about so many of 100, the same ones each time.
fn loss(percent: u32) -> impl FnMut(u16) -> Option<Duration> {
    let mut state = 12_345_u32;
    move |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 16) % 100 >= percent).then_some(50 * MS)
    }
}

#[test]
fn a_clean_path_needs_nothing_made_up_and_nothing_left_out() {
    for (codec, phase) in [Codec::Opus, Codec::Pcmu, Codec::Pcma].into_iter().zip([7, 0, 3]) {
        let mut call = Call::new(codec);
        call.phase = phase;
        call.run(Duration::from_secs(20), true, |_| Some(50 * MS));
        let stats = call.stats();
        let rate = u64::from(payload(codec).clock_rate);
        assert_eq!((stats.concealed, stats.inserted), (0, 0), "{codec:?}");
        // The jitter buffer begins with more delay than it needs.
        assert!(stats.removed <= rate / 50, "{codec:?}: {stats:?}");
        assert!((19 * rate..20 * rate).contains(&stats.total), "{codec:?}: {}", stats.total);
        assert!(call.gaps <= 3, "{codec:?}: {}", call.gaps);
    }
}

#[test]
fn next_to_nothing_waits_wherever_the_clock_stands_and_a_thread_may_still_be_late() {
    for phase in 0..10 {
        let mut call = Call::new(Codec::Opus);
        call.phase = phase;
        // A frame that is late by no more than a thread's turn is not missed.
        call.run(Duration::from_secs(20), true, |at| Some((50 + u32::from(at % 40 == 0) * 2) * MS));
        let stats = call.stats();
        assert_eq!((stats.concealed, stats.synthesized), (0, 0), "{phase}");
        // Of a frame of 20 ms the first block waits for its tick, the second one 10 ms longer; and perhaps a block beside it.
        let waited = stats.waited / (stats.total as u32);
        assert!(waited <= 35 * MS, "{phase}: {waited:?}");
    }
}

#[test]
fn at_5_percent_loss_there_is_no_gap_in_what_is_heard() {
    for codec in [Codec::Opus, Codec::Pcmu] {
        let mut call = Call::new(codec);
        call.run(Duration::from_secs(20), true, loss(5));
        let stats = call.stats();
        let rate = u64::from(payload(codec).clock_rate);
        assert!((19 * rate..20 * rate).contains(&stats.total), "{codec:?}");
        assert!(call.gaps <= 5, "{codec:?}: {} blocks are silent", call.gaps);
        assert!(stats.concealment_events > 20, "{codec:?}: {stats:?}");
        assert!(stats.concealed < rate * 20 / 10, "{codec:?}: {stats:?}");
    }
}

#[test]
fn a_path_that_gets_slower_and_quicker_again_leaves_no_delay_behind() {
    let mut call = Call::new(Codec::Opus);
    call.run(Duration::from_secs(10), true, |_| Some(20 * MS));
    call.run(Duration::from_secs(10), true, |at| Some((20 + u32::from(at % 7) * 30) * MS));
    call.run(Duration::from_secs(30), true, |_| Some(20 * MS));
    assert!(call.playout.level() <= 60 * MS, "{:?}", call.playout.level());
    assert!(call.stats().removed > 0);
}

#[test]
fn a_burst_after_an_outage_is_cut_and_not_played_late() {
    let mut call = Call::new(Codec::Opus);
    call.run(Duration::from_secs(2), true, |_| Some(20 * MS));
    let mut left = 1_000;
    // What was sent within a second arrives at its end.
    call.run(Duration::from_secs(1), true, |_| {
        left -= 20;
        Some(left * MS)
    });
    call.run(Duration::from_secs(20), true, |_| Some(20 * MS));
    assert!(call.playout.level() <= 60 * MS, "{:?}", call.playout.level());
}

#[test]
fn who_is_cut_off_falls_silent() {
    for codec in [Codec::Opus, Codec::Pcmu] {
        let mut call = Call::new(codec);
        call.run(Duration::from_secs(3), true, |_| Some(20 * MS));
        call.run(Duration::from_secs(1), true, |_| None);
        let before = call.gaps;
        call.run(Duration::from_secs(1), true, |_| None);
        assert_eq!(call.gaps - before, 100, "{codec:?}");
    }
}

#[test]
fn silence_that_is_not_sent_is_heard_as_silence_and_speech_after_it_is_whole() {
    let mut call = Call::new(Codec::Opus);
    let dtx = Payload { fmtp: "useinbandfec=1;usedtx=1".into(), ..payload(Codec::Opus) };
    call.encoding = Encoding::new(dtx, None, (0, call.now));
    call.run(Duration::from_secs(1), true, |_| Some(20 * MS));
    let sent = call.sequence;
    call.run(Duration::from_secs(10), false, |_| Some(20 * MS));
    assert!(
        call.sequence.wrapping_sub(sent) < 100,
        "{} packets of silence",
        call.sequence.wrapping_sub(sent)
    );
    let (before, gaps) = (call.heard.len(), call.gaps);
    call.run(Duration::from_secs(1), true, |_| Some(20 * MS));
    assert_eq!(call.heard.len() - before, 48_000);
    assert!(call.gaps - gaps <= 10, "{}", call.gaps - gaps);
    assert!(call.stats().concealed > 48_000 * 5);
}

#[test]
fn a_codec_that_changes_in_the_middle_is_followed() {
    let mut call = Call::new(Codec::Opus);
    call.run(Duration::from_secs(1), true, |_| Some(20 * MS));
    for codec in [Codec::Pcmu, Codec::Opus, Codec::Pcma] {
        call.encoding = Encoding::new(payload(codec), None, (1_000_000, call.now));
        let gaps = call.gaps;
        call.run(Duration::from_secs(1), true, |_| Some(20 * MS));
        assert!(call.gaps - gaps <= 6, "{codec:?}: {}", call.gaps - gaps);
    }
}

#[test]
fn no_frame_that_can_come_in_breaks_anything() {
    let mut call = Call::new(Codec::Opus);
    let mut state = 1_u32;
    for round in 0..5_000_u32 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = (state >> 8) as usize % 400;
        let data: Vec<u8> = (0..length).map(|at| (state >> (at % 24)) as u8 ^ at as u8).collect();
        let packet = RtpPacket {
            payload: [111, 0, 8, 13, 126][round as usize % 5],
            marker: state & 1 == 1,
            sequence: if state & 64 == 0 { round as u16 } else { state as u16 },
            timestamp: if state & 128 == 0 { round.wrapping_mul(960) } else { state },
            ssrc: 7,
            csrcs: Vec::new(),
            extensions: ExtensionValues::default(),
            data: Bytes::from(data),
        };
        call.flying.push((call.now, packet));
        call.step(round % 10 == 0);
        assert!(call.playout.level() <= Duration::from_millis(250));
    }
    assert!(call.heard.iter().all(|sample| sample.is_finite()));
}
