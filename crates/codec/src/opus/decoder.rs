use std::time::Duration;

use super::{MAX_DURATION, MAX_PACKET, OpusError, channels, sample_rate};
use crate::pcm::Format;

/// How much audio a packet holds, 2.5 to 120 ms; it is not decoded for that.
pub fn packet_duration(packet: &[u8]) -> Result<Duration, OpusError> {
    let rate = opusic_c::SampleRate::Hz48000;
    // libopus takes the length as a C `int`.
    let known = !packet.is_empty() && packet.len() <= MAX_PACKET;
    let samples = known.then(|| opusic_c::utils::get_nb_samples(packet, rate).ok()).flatten();
    let samples = samples.filter(|samples| *samples > 0).ok_or(OpusError::Packet(packet.len()))?;
    Ok(Duration::from_nanos(samples as u64 * 1_000_000_000 / 48_000))
}

/// Decodes one stream, whatever rate, channels and length of frames its packets have. Any bytes may be handed in.
pub struct Decoder {
    decoder: opusic_c::Decoder,
    format: Format,
    /// Of the last packet; what is lost is taken to be as long.
    last: usize,
    decoded: Vec<f32>,
}

impl Decoder {
    /// `format` is what comes out: 8, 12, 16, 24 or 48 kHz.
    pub fn new(format: Format) -> Result<Self, OpusError> {
        let decoder = opusic_c::Decoder::new(channels(format.channels()), sample_rate(format.rate())?)?;
        let last = format.frames_in(Duration::from_millis(20));
        let most = format.frames_in(MAX_DURATION) * format.channels().count();
        Ok(Self { decoder, format, last, decoded: vec![0.0; most] })
    }

    /// What comes out.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Appends the audio of a packet and returns how many frames it has, at most 120 ms. After an error nothing has changed.
    pub fn decode(&mut self, packet: &[u8], out: &mut Vec<f32>) -> Result<usize, OpusError> {
        packet_duration(packet)?;
        let room = self.decoded.len();
        let frames = self.run(packet, room, false).map_err(|_| OpusError::Packet(packet.len()))?;
        self.last = frames;
        self.give(frames, out);
        Ok(frames)
    }

    /// Appends a guess at what has not arrived: what the last packet went on to, fading out. `missing` is rounded to 2.5 ms and at most
    /// 120 ms; `None`: as long as the last packet.
    pub fn conceal(&mut self, missing: Option<Duration>, out: &mut Vec<f32>) -> Result<usize, OpusError> {
        self.fill(&[], missing, out)
    }

    /// Appends what the packet after a lost one says of that (FEC), or a guess where it says nothing. `next` itself is to be decoded afterwards.
    /// `missing` as in [`Self::conceal`].
    pub fn recover(
        &mut self,
        next: &[u8],
        missing: Option<Duration>,
        out: &mut Vec<f32>,
    ) -> Result<usize, OpusError> {
        packet_duration(next)?;
        self.fill(next, missing, out)
    }

    fn fill(
        &mut self,
        next: &[u8],
        missing: Option<Duration>,
        out: &mut Vec<f32>,
    ) -> Result<usize, OpusError> {
        let unit = (self.format.rate() / 400) as usize;
        let frames = missing.map_or(self.last, |time| self.format.frames_in(time.min(MAX_DURATION)));
        let frames = (frames.div_ceil(unit).max(1) * unit).min(unit * 48);
        let room = frames * self.format.channels().count();
        let frames = self.run(next, room, !next.is_empty()).map_err(|_| OpusError::Packet(next.len()))?;
        self.give(frames, out);
        Ok(frames)
    }

    fn run(&mut self, packet: &[u8], room: usize, fec: bool) -> Result<usize, opusic_c::ErrorCode> {
        self.decoder.decode_float_to_slice(packet, &mut self.decoded[..room], fec)
    }

    fn give(&self, frames: usize, out: &mut Vec<f32>) {
        let decoded = &self.decoded[..frames * self.format.channels().count()];
        // What is no number would stay in filters for ever.
        out.extend(decoded.iter().map(|sample| if sample.is_finite() { *sample } else { 0.0 }));
    }
}
