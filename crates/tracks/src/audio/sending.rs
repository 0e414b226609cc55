//! From blocks of samples to the frames of one sender.

use std::time::{Duration, Instant};

use ossa_codec::pcm::{Block, Converter, Format, Level};
use ossa_media::{AudioLevel, EncodedFrame, Payload};

use super::encoder::{Encoder, packet_time};
use super::framer::Framer;

/// What is louder than this many decibels below full scale is told to be voice: libwebrtc's fake microphones and rooms without a
/// speaker are below it.
const VOICE: u8 = 50;

/// Encodes what a track gives, as was negotiated.
pub(crate) struct Encoding {
    payload: Payload,
    packet_time: Duration,
    stage: Option<Stage>,
    /// The timestamp that the next frame would have, and when that was true.
    position: (u32, Instant),
    most: Option<u64>,
    loss: u8,
    /// What the encoder was told of; `None` if it does what it does by itself.
    complexity: Option<u8>,
}

/// All that depends on the shape of the source.
struct Stage {
    source: Format,
    encoder: Encoder,
    converter: Converter,
    framer: Framer,
    converted: Vec<f32>,
}

impl Encoding {
    /// For a payload type that was negotiated, with packets as long as the other side asks for. The first frame has `timestamp` if it
    /// comes now, and a later one if it comes later.
    pub(crate) fn new(payload: Payload, asked: Option<Duration>, (timestamp, now): (u32, Instant)) -> Self {
        let packet_time = packet_time(asked);
        let position = (timestamp, now);
        Self { payload, packet_time, stage: None, position, most: None, loss: 0, complexity: None }
    }

    /// Whether this is still what was negotiated.
    pub(crate) fn fits(&self, payload: &Payload, asked: Option<Duration>) -> bool {
        self.payload == *payload && self.packet_time == packet_time(asked)
    }

    /// How many packets a second of sound is.
    pub(crate) fn packets_per_second(&self) -> u64 {
        1_000 / u64::from(millis(self.packet_time).max(1))
    }

    /// At most so many bits a second, and so many of 100 packets that do not arrive, from the next frame on.
    pub(crate) fn adapt(&mut self, most: Option<u64>, loss: u8) {
        if (self.most, self.loss) == (most, loss) {
            return;
        }
        (self.most, self.loss) = (most, loss);
        if let Some(stage) = &mut self.stage {
            stage.encoder.adapt(most, loss);
        }
    }

    /// So much work is put into a packet, 0 to 10, from the next one on.
    pub(crate) fn set_complexity(&mut self, complexity: u8) {
        if self.complexity.replace(complexity) != Some(complexity)
            && let Some(stage) = &mut self.stage
        {
            stage.encoder.set_complexity(complexity);
        }
    }

    /// A block came; appends the frames that are to be sent.
    pub(crate) fn push(&mut self, now: Instant, block: &Block, frames: &mut Vec<EncodedFrame>) {
        if self.stage.as_ref().is_none_or(|stage| stage.source != block.format()) {
            self.stage = self.stage(now, block.format());
        }
        let Some(stage) = &mut self.stage else { return };
        stage.converted.clear();
        stage.converter.convert(block.samples(), &mut stage.converted);
        let mut cut = Vec::new();
        stage.framer.push(now, &stage.converted, &mut cut);
        for frame in cut {
            let level = Level::of(&frame.samples).decibels_below();
            let next =
                frame.timestamp.wrapping_add(self.payload.clock_rate / 1_000 * millis(self.packet_time));
            self.position = (next, now);
            let Some(data) = stage.encoder.encode(&frame.samples) else {
                stage.framer.mark();
                continue;
            };
            frames.push(EncodedFrame {
                payload: self.payload.number,
                timestamp: frame.timestamp,
                data,
                marker: frame.marker,
                key_frame: true,
                audio_level: Some(AudioLevel { voice: level <= VOICE, level }),
                video_orientation: None,
                csrcs: Vec::new(),
            });
        }
    }

    /// So much audio was left out.
    pub(crate) fn skip(&mut self, time: Duration) {
        if let Some(stage) = &mut self.stage {
            stage.framer.skip(time);
        }
    }

    /// So much audio is left out, and something else is sent in place of it.
    pub(crate) fn replace(&mut self, time: Duration) {
        if let Some(stage) = &mut self.stage {
            stage.framer.skip(time);
            stage.framer.mark();
        }
    }

    /// The timestamp that a frame would have that comes now, if nothing was sent yet.
    pub(crate) fn timestamp(&self, now: Instant) -> u32 {
        later(self.position, now, self.payload.clock_rate)
    }

    /// Ticks of a second, and of a packet.
    pub(crate) fn clock(&self) -> (u32, u32) {
        (self.payload.clock_rate, self.payload.clock_rate / 1_000 * millis(self.packet_time))
    }

    fn stage(&self, now: Instant, source: Format) -> Option<Stage> {
        let mut encoder = Encoder::new(&self.payload, source)?;
        encoder.adapt(self.most, self.loss);
        if let Some(complexity) = self.complexity {
            encoder.set_complexity(complexity);
        }
        let format = encoder.format();
        let timestamp = later(self.position, now, self.payload.clock_rate);
        let framer = Framer::new(format, self.payload.clock_rate, self.packet_time, timestamp);
        Some(Stage {
            source,
            encoder,
            converter: Converter::new(source, format),
            framer,
            converted: Vec::new(),
        })
    }
}

/// The timestamp of `now`, if that of another time is known.
pub(crate) fn later((timestamp, at): (u32, Instant), now: Instant, clock_rate: u32) -> u32 {
    let ticks = now.saturating_duration_since(at).as_nanos() * u128::from(clock_rate) / 1_000_000_000;
    timestamp.wrapping_add(ticks as u32)
}

fn millis(time: Duration) -> u32 {
    time.as_millis() as u32
}
