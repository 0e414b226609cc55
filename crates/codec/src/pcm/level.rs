use super::Block;

/// How loud a piece of audio is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Level {
    /// Root of the mean square, as a fraction of full scale; a full-scale sine has 0.71.
    pub rms: f32,
    /// The largest sample, at most 1.
    pub peak: f32,
}

impl Level {
    /// That of a block.
    pub fn of(samples: &[f32]) -> Self {
        /// Sums beside each other, which the processor makes at once: one sum would wait for each addition in turn.
        const LANES: usize = 16;
        let (mut squares, mut peaks) = ([0.0_f32; LANES], [0.0_f32; LANES]);
        let mut add = |chunk: &[f32]| {
            for ((sample, square), peak) in chunk.iter().zip(&mut squares).zip(&mut peaks) {
                *square += sample * sample;
                *peak = peak.max(sample.abs());
            }
        };
        let chunks = samples.chunks_exact(LANES);
        let rest = chunks.remainder();
        chunks.for_each(&mut add);
        add(rest);
        let sum: f64 = squares.iter().copied().map(f64::from).sum();
        let peak = peaks.into_iter().fold(0.0, f32::max);
        let rms = (sum / samples.len().max(1) as f64).sqrt() as f32;
        Self { rms: rms.min(1.0), peak: peak.min(1.0) }
    }

    /// As RTP tells it (RFC 6464 3): decibels below full scale, 0 to 127, where 127 is silence.
    pub fn decibels_below(self) -> u8 {
        // Silence is infinitely far below; the cast saturates.
        (-20.0 * self.rms.log10()).round().clamp(0.0, 127.0) as u8
    }
}

/// What statistics tell of a source (webrtc-stats, `RTCAudioSourceStats`).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Loudness {
    /// Of the last block.
    pub level: Level,
    /// `totalAudioEnergy`.
    pub energy: f64,
    /// `totalSamplesDuration`, seconds.
    pub duration: f64,
}

impl Loudness {
    /// Takes a block into account.
    pub fn add(&mut self, block: &Block) {
        let seconds = block.duration().as_secs_f64();
        self.level = Level::of(block.samples());
        self.energy += seconds * f64::from(self.level.peak).powi(2);
        self.duration += seconds;
    }
}
