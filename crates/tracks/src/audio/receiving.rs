//! From the frames of one receiver to audio: decoded, and made up where some is missing.

use std::time::{Duration, Instant};

use ossa_codec::track::BLOCK;
use ossa_media::{Codec, Payload, ReceivedFrame};

use super::decoder::Decoder;
use super::playout::{Origin, Playout};

/// A gap up to this length is filled; after a longer one the sender has begun anew.
const LONGEST_GAP: Duration = Duration::from_millis(200);

/// So long what was heard last may go on, as the noise of a room does: who sends no silence tells of it each 400 ms.
const HELD: Duration = Duration::from_millis(450);
/// After so long there is silence.
const FADED: Duration = Duration::from_millis(550);

/// Decodes what the jitter buffer hands out.
#[derive(Default)]
pub(crate) struct Decoding {
    /// What may come in.
    payloads: Vec<Payload>,
    current: Option<Current>,
    samples: Vec<f32>,
}

struct Current {
    payload: Payload,
    decoder: Decoder,
    ssrc: u32,
    /// The timestamp after the last frame.
    end: u32,
    /// How long the last frame was.
    last: Duration,
    /// What was made up since the last frame.
    made_up: Duration,
}

impl Decoding {
    /// What may come in from now on.
    pub(crate) fn set_payloads(&mut self, payloads: Vec<Payload>) {
        self.payloads = payloads;
    }

    /// A frame came.
    pub(crate) fn frame(&mut self, now: Instant, ssrc: u32, frame: &ReceivedFrame, playout: &mut Playout) {
        let Some(payload) = self.payloads.iter().find(|payload| payload.number == frame.payload) else {
            return;
        };
        // Both come beside audio, and are none themselves. A tone comes in place of it, so there is nothing to make up for.
        if matches!(payload.codec, Codec::TelephoneEvent | Codec::ComfortNoise) {
            if let Some(current) = self.current.as_mut().filter(|_| payload.codec == Codec::TelephoneEvent) {
                current.made_up = current.made_up.max(FADED);
            }
            return;
        }
        let fits = |current: &Current| {
            current.ssrc == ssrc
                && current.payload == *payload
                && current.decoder.does_justice_to(&frame.data)
        };
        if !self.current.as_ref().is_some_and(fits) {
            let Some(decoder) = Decoder::new(payload, &frame.data) else { return };
            let (end, last, made_up) = (frame.timestamp, Duration::ZERO, Duration::ZERO);
            self.current = Some(Current { payload: payload.clone(), decoder, ssrc, end, last, made_up });
        }
        let Some(current) = &mut self.current else { return };
        let Some(duration) = current.decoder.duration(&frame.data) else { return };
        current.fill(now, frame, playout, &mut self.samples);
        self.samples.clear();
        if current.decoder.decode(&frame.data, &mut self.samples) {
            playout.append(now, current.decoder.format(), &self.samples, Origin::Received);
        }
        let ticks = duration.as_nanos() * u128::from(current.payload.clock_rate) / 1_000_000_000;
        current.end = frame.timestamp.wrapping_add(ticks as u32);
        (current.last, current.made_up) = (duration, Duration::ZERO);
    }

    /// Nothing has come in time: the next 10 ms are made up.
    pub(crate) fn conceal(&mut self, now: Instant, playout: &mut Playout) {
        let Some(current) = &mut self.current else { return };
        self.samples.clear();
        current.decoder.conceal(BLOCK, &mut self.samples);
        let loud = FADED.saturating_sub(current.made_up).as_secs_f32() / (FADED - HELD).as_secs_f32();
        self.samples.iter_mut().for_each(|sample| *sample *= loud.min(1.0));
        current.made_up += BLOCK;
        playout.append(now, current.decoder.format(), &self.samples, Origin::Concealed);
    }
}

impl Current {
    /// Fills the gap before a frame, if there is one and it was not filled while it was waited for.
    fn fill(&mut self, now: Instant, frame: &ReceivedFrame, playout: &mut Playout, samples: &mut Vec<f32>) {
        let ticks = frame.timestamp.wrapping_sub(self.end);
        let gap = u64::from(ticks) * 1_000_000_000 / u64::from(self.payload.clock_rate.max(1));
        let gap = Duration::from_nanos(gap);
        if !frame.lost_before {
            // Nothing is missing: the frame was late, or the sender was silent.
            playout.inserted(self.made_up.saturating_sub(gap));
            return;
        }
        playout.deepen(now);
        // Half of the range is a timestamp of before.
        if gap.is_zero() || gap > LONGEST_GAP {
            return;
        }
        let mut missing = gap.saturating_sub(self.made_up);
        // Too little waits for the next loss: the copy of what was made up makes it more.
        if self.decoder.has_copies() && playout.level() + self.last <= playout.target(now) {
            missing = missing.max(self.last.min(gap));
            playout.inserted((self.made_up + missing).saturating_sub(gap));
        }
        if missing < Duration::from_micros(2_500) {
            return;
        }
        // A packet has a copy of the one before, and of no other.
        let copied = missing.min(self.last.max(BLOCK));
        for (time, from) in [(missing - copied, None), (copied, Some(&frame.data))] {
            samples.clear();
            match from {
                _ if time < Duration::from_micros(2_500) => continue,
                None => self.decoder.conceal(time, samples),
                Some(next) => self.decoder.recover(next, time, samples),
            }
            playout.append(now, self.decoder.format(), samples, Origin::Concealed);
        }
    }
}
