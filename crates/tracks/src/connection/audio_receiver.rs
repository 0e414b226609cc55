//! What one receiver of audio gives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use ossa_codec::pcm::Loudness;
use ossa_codec::track::{Paced, Source};
use ossa_media::ReceivedFrame;
use ossa_peer::TransceiverId;

use super::Common;
use crate::audio::playout::{Playout, PlayoutStats};
use crate::audio::receiving::Decoding;
use crate::encoded::EncodedSource;
use crate::threads::{Effort, Strand, Work, lock, play};

/// Frames that wait to be decoded: half a second of the usual ones. The oldest are dropped, as who is further behind never catches up.
const MOST_WAITING: usize = 25;

/// Decodes what the jitter buffer hands out, on a worker's thread, and plays it out on the clock's.
pub(super) struct AudioReceiver {
    common: Arc<Common>,
    id: TransceiverId,
    source: Source,
    input: Mutex<Input>,
    decoding: Mutex<Decoder>,
    playout: Mutex<Output>,
    strand: Strand,
    this: Weak<Self>,
}

/// What became of the audio of a receiver, for statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AudioReceived {
    /// What was given out.
    pub played: PlayoutStats,
    /// Samples a second of that.
    pub rate: u32,
    /// How loud it is and was.
    pub loudness: Loudness,
    /// Frames that nobody has listened to, or that waited too long to be decoded.
    pub dropped: u64,
}

#[derive(Default)]
struct Input {
    frames: VecDeque<(u32, ReceivedFrame)>,
    /// Nobody has listened, or it was too much.
    dropped: u64,
    /// The stream is silent or over, as of what came before.
    paused: bool,
    /// The next block is to be made up if it is not there.
    wanted: bool,
}

#[derive(Default)]
struct Decoder {
    /// Of what was negotiated, when it was last looked at.
    version: Option<u64>,
    decoding: Decoding,
}

#[derive(Default)]
struct Output {
    playout: Playout,
    /// The clock plays it.
    played: bool,
}

impl AudioReceiver {
    pub(super) fn new(common: Arc<Common>, id: TransceiverId, origin: &EncodedSource) -> Arc<Self> {
        let source = Source::decoded_from(Arc::new(origin.clone()));
        if origin.has_ended() {
            source.end();
        }
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            common,
            id,
            source,
            input: Mutex::default(),
            decoding: Mutex::default(),
            playout: Mutex::default(),
            strand: Strand::new(Effort::Decode, this.clone()),
            this: this.clone(),
        })
    }

    /// Where its audio arises.
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// A frame came. Called with the connection locked.
    pub(super) fn frame(&self, ssrc: u32, frame: ReceivedFrame) {
        let taken = self.source.is_taken();
        let mut input = lock(&self.input);
        input.paused = false;
        if !taken {
            input.dropped += 1;
            return;
        }
        input.frames.push_back((ssrc, frame));
        if input.frames.len() > MOST_WAITING {
            input.frames.pop_front();
            input.dropped += 1;
        }
        drop(input);
        self.strand.wake();
    }

    /// What came of it until now.
    pub(super) fn stats(&self) -> AudioReceived {
        let (played, rate) = {
            let output = lock(&self.playout);
            (output.playout.stats(), output.playout.rate())
        };
        AudioReceived { played, rate, loudness: self.source.loudness(), dropped: lock(&self.input).dropped }
    }

    /// Nothing comes for a while.
    pub(super) fn pause(&self) {
        lock(&self.input).paused = true;
        self.strand.wake();
    }

    /// Nothing comes any more.
    pub(super) fn end(&self) {
        self.source.end();
    }

    fn play(&self, output: &mut Output) {
        if output.playout.is_running() && !output.played {
            let Some(this) = self.this.upgrade() else { return };
            // Without a thread nothing is heard, and the next frame tries again.
            match play(this) {
                Ok(()) => output.played = true,
                Err(error) => tracing::error!("no thread can be had to play audio: {error}"),
            }
        }
    }
}

impl Work for AudioReceiver {
    fn work(&self) {
        let (frames, paused, wanted) = {
            let mut input = lock(&self.input);
            (std::mem::take(&mut input.frames), input.paused, std::mem::take(&mut input.wanted))
        };
        let mut decoder = lock(&self.decoding);
        let version = self.common.version();
        if decoder.version != Some(version) {
            decoder.version = Some(version);
            let parameters = self.common.parameters(self.id);
            let payloads = parameters.map(|parameters| parameters.receive.payloads);
            decoder.decoding.set_payloads(payloads.unwrap_or_default());
        }
        let mut output = lock(&self.playout);
        for (ssrc, frame) in &frames {
            decoder.decoding.frame(Instant::now(), *ssrc, frame, &mut output.playout);
        }
        if paused {
            output.playout.end();
        } else if wanted && output.playout.runs_out() {
            decoder.decoding.conceal(Instant::now(), &mut output.playout);
        }
        self.play(&mut output);
    }

    fn crashed(&self) {
        self.source.end();
    }
}

impl Paced for AudioReceiver {
    /// Only now is it certain that a frame which has not come is late.
    fn prepare(&self) {
        if lock(&self.playout).playout.runs_out() {
            lock(&self.input).wanted = true;
            self.strand.wake();
        }
    }

    fn tick(&self, now: Instant) -> bool {
        let heard = self.source.is_taken();
        let (blocks, on) = {
            let mut output = lock(&self.playout);
            if !heard {
                output.playout.end();
            }
            let blocks = output.playout.tick(now);
            output.played = output.playout.is_running() && !self.source.has_ended();
            (blocks, output.played)
        };
        blocks.iter().for_each(|block| self.source.push(block));
        on
    }
}
