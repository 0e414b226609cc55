use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType, WindowFunction,
};

use super::{Channels, Format};

/// Points of the filter at the lower of both rates. With them, speech and music lose nothing below 85 % of the band, and the delay is 32
/// samples: 4 ms of a telephone's, 0.7 ms of 48,000 Hz.
const FILTER: usize = 64;

/// The filter is tabulated at so many points between two samples; the cubic interpolation between those errs by less than 16-bit samples
/// can show, in a table that stays in the cache.
const TABULATED: usize = 32;

/// Changes rate and channels of a stream of audio. Over time exactly `frames * to / from` frames come out.
pub struct Converter {
    from: Format,
    to: Format,
    resampler: Option<Resampling>,
    mixed: Vec<f32>,
}

struct Resampling {
    resampler: Async<f32>,
    channels: usize,
    /// Frames that the resampler takes at a time.
    chunk: usize,
    waiting: Vec<f32>,
    converted: Vec<f32>,
}

impl Converter {
    /// The filter depends on both rates; making one takes less than a millisecond.
    pub fn new(from: Format, to: Format) -> Self {
        let channels = from.channels().count().min(to.channels().count());
        let resampler = (from.rate() != to.rate()).then(|| Resampling::new(from.rate(), to.rate(), channels));
        Self { from, to, resampler, mixed: Vec::new() }
    }

    /// What comes in.
    pub fn from(&self) -> Format {
        self.from
    }

    /// What comes out.
    pub fn to(&self) -> Format {
        self.to
    }

    /// Takes whole frames of audio and appends what can be given of it; up to 2.5 ms are kept until more comes.
    pub fn convert(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let (from, to) = (self.from.channels(), self.to.channels());
        let down = from == Channels::Stereo && to == Channels::Mono;
        let up = from == Channels::Mono && to == Channels::Stereo;
        let Some(resampler) = &mut self.resampler else {
            return match (down, up) {
                (true, _) => to_mono(samples, out),
                (_, true) => to_stereo(samples, out),
                _ => out.extend_from_slice(samples),
            };
        };
        // Fewer channels are resampled, not more.
        if down {
            self.mixed.clear();
            to_mono(samples, &mut self.mixed);
            resampler.convert(&self.mixed, out);
        } else if up {
            self.mixed.clear();
            resampler.convert(samples, &mut self.mixed);
            to_stereo(&self.mixed, out);
        } else {
            resampler.convert(samples, out);
        }
    }
}

impl Resampling {
    fn new(from: u32, to: u32, channels: usize) -> Self {
        // The filter is that of the lower rate, and is laid over samples of the input.
        let length = FILTER * (from.max(to).div_ceil(to) as usize);
        let parameters = SincInterpolationParameters::new(length, WindowFunction::BlackmanHarris2)
            .oversampling_factor(TABULATED)
            .interpolation(SincInterpolationType::Cubic);
        let chunk = (from / 400) as usize;
        let ratio = f64::from(to) / f64::from(from);
        let resampler = Async::new_sinc(ratio, 1.0, &parameters, chunk, channels, FixedAsync::Input)
            .expect("rates are positive and the ratio is fixed");
        let converted = vec![0.0; resampler.output_frames_max() * channels];
        Self { resampler, channels, chunk, waiting: Vec::new(), converted }
    }

    fn convert(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.waiting.extend_from_slice(samples);
        let room = self.converted.len() / self.channels;
        let mut done = 0;
        for piece in self.waiting.chunks_exact(self.chunk * self.channels) {
            const SIZED: &str = "as long as is said beside it";
            let input = InterleavedSlice::new(piece, self.channels, self.chunk).expect(SIZED);
            let mut output =
                InterleavedSlice::new_mut(&mut self.converted, self.channels, room).expect(SIZED);
            let (_, frames) = self
                .resampler
                .process_into_buffer(&input, &mut output, None)
                .expect("both buffers are as long as the resampler asks for");
            out.extend_from_slice(&self.converted[..frames * self.channels]);
            done += piece.len();
        }
        self.waiting.drain(..done);
    }
}

fn to_mono(samples: &[f32], out: &mut Vec<f32>) {
    out.extend(samples.chunks_exact(2).map(|frame| (frame[0] + frame[1]) * 0.5));
}

fn to_stereo(samples: &[f32], out: &mut Vec<f32>) {
    out.extend(samples.iter().flat_map(|sample| [*sample; 2]));
}
