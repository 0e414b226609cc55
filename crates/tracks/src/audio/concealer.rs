//! Makes up audio where none has come, for codecs that can't do it themselves: what was heard last goes on, and fades.

use std::collections::VecDeque;

use ossa_codec::pcm::Format;

/// What goes on is at least 5 and at most 15 ms long: the pitch of voices, as in appendix I of G.711.
const SHORTEST: usize = 200;
const LONGEST: usize = 66;

/// It is silent after 60 ms.
const FADE_PER_SECOND: f32 = 1.0 / 0.06;

/// Remembers what was heard.
pub(super) struct Concealer {
    format: Format,
    /// The last 30 ms.
    heard: VecDeque<f32>,
    /// What is repeated, and from where on; empty while audio comes.
    repeated: Vec<f32>,
    at: usize,
    gain: f32,
}

impl Concealer {
    pub(super) fn new(format: Format) -> Self {
        Self { format, heard: VecDeque::new(), repeated: Vec::new(), at: 0, gain: 1.0 }
    }

    /// Audio came. If some was made up before, it begins with a transition of 5 ms.
    pub(super) fn heard(&mut self, samples: &mut [f32]) {
        let channels = self.format.channels().count();
        if !self.repeated.is_empty() {
            let length = self.rate() / SHORTEST * channels;
            let mut made_up = Vec::new();
            self.conceal(length / channels, &mut made_up);
            let length = length.min(samples.len());
            for (at, (sample, before)) in samples.iter_mut().zip(&made_up).take(length).enumerate() {
                let share = at as f32 / length as f32;
                *sample = *sample * share + before * (1.0 - share);
            }
            self.repeated.clear();
        }
        self.heard.extend(samples.iter().copied());
        let surplus = self.heard.len().saturating_sub(self.rate() * 3 / 100 * channels);
        self.heard.drain(..surplus);
    }

    /// Appends so many frames.
    pub(super) fn conceal(&mut self, frames: usize, out: &mut Vec<f32>) {
        let channels = self.format.channels().count();
        if self.repeated.is_empty() {
            self.begin();
        }
        let step = FADE_PER_SECOND / self.rate() as f32;
        for _ in 0..frames {
            for channel in 0..channels {
                out.push(self.repeated.get(self.at + channel).map_or(0.0, |sample| sample * self.gain));
            }
            self.at = (self.at + channels) % self.repeated.len().max(1);
            self.gain = (self.gain - step).max(0.0);
        }
    }

    fn begin(&mut self) {
        let heard = self.heard.make_contiguous();
        let channels = self.format.channels().count();
        let period = period(heard, channels, self.format.rate() as usize);
        self.repeated = heard[heard.len() - period * channels..].to_vec();
        if self.repeated.is_empty() {
            self.repeated = vec![0.0; channels];
        }
        (self.at, self.gain) = (0, 1.0);
    }

    fn rate(&self) -> usize {
        self.format.rate() as usize
    }
}

/// After how many frames the first channel resembles itself the most. All of it, if there is too little to tell.
fn period(heard: &[f32], channels: usize, rate: usize) -> usize {
    let all = heard.len() / channels;
    let (shortest, longest) = (rate / SHORTEST, rate / LONGEST);
    let window = all.saturating_sub(longest);
    if window < shortest {
        return all.min(longest);
    }
    let at = |frame: usize| heard[frame * channels];
    let likeness = |lag: usize| {
        let (mut product, mut energy) = (0.0, 1e-9);
        for frame in all - window..all {
            product += at(frame) * at(frame - lag);
            energy += at(frame - lag) * at(frame - lag);
        }
        product / f32::sqrt(energy)
    };
    (shortest..=longest.min(all - window))
        .map(|lag| (lag, likeness(lag)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map_or(longest, |(lag, _)| lag)
}
