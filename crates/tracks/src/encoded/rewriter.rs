//! Makes one stream of the packets of others.

use std::time::Instant;

use ossa_media::SendPosition;

use crate::audio::sending::later;

/// So far behind its begin a packet of a stream is of before it, and not of half a round of numbers later.
const BEGINNING: u16 = 1 << 14;

/// Renumbers packets so that what goes out has no seam: sequence numbers go on where the last stream ended, timestamps by the time that
/// passed. Within a stream all stays as it is: gaps stay gaps, and what overtakes overtakes.
#[derive(Debug)]
pub(crate) struct Rewriter {
    /// The number of the next packet, if nothing was lost.
    next: u16,
    /// The last timestamp that went out, and when.
    last: Option<(u32, Instant)>,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    ssrc: u32,
    clock_rate: u32,
    /// Added to what comes in.
    sequence: u16,
    timestamp: u32,
    /// The first number of this stream; forgotten when it is long past.
    first: Option<u16>,
}

impl Rewriter {
    /// Goes on where a sent stream stands.
    pub(crate) fn new(position: Option<SendPosition>) -> Self {
        let position = position.unwrap_or(SendPosition { next_sequence: 0, last: None, fraction_lost: None });
        Self { next: position.next_sequence, last: position.last, current: None }
    }

    /// Whether a packet goes on with the stream that the last one was of.
    pub(crate) fn goes_on(&self, ssrc: u32) -> bool {
        self.current.as_ref().is_some_and(|current| current.ssrc == ssrc)
    }

    /// The stream that the last one was of.
    pub(crate) fn current(&self) -> Option<u32> {
        self.current.as_ref().map(|current| current.ssrc)
    }

    /// Whether any stream has begun.
    pub(crate) fn is_running(&self) -> bool {
        self.current.is_some()
    }

    /// Packets are left out from here on; what comes after them begins anew.
    pub(crate) fn interrupt(&mut self) {
        self.current = None;
    }

    /// The sequence number and the timestamp that a packet goes out with; `None` for one from before the begin of its stream.
    pub(crate) fn rewrite(
        &mut self,
        now: Instant,
        (ssrc, clock_rate): (u32, u32),
        (sequence, timestamp): (u16, u32),
    ) -> Option<(u16, u32)> {
        let fits = |current: &Current| current.ssrc == ssrc && current.clock_rate == clock_rate;
        if !self.current.as_ref().is_some_and(fits) {
            let begin = self.last.map_or(timestamp, |last| {
                let begin = later(last, now, clock_rate);
                // A frame of its own, however soon it comes.
                if begin == last.0 { begin.wrapping_add(1) } else { begin }
            });
            self.current = Some(Current {
                ssrc,
                clock_rate,
                sequence: self.next.wrapping_sub(sequence),
                timestamp: begin.wrapping_sub(timestamp),
                first: Some(sequence),
            });
        }
        let current = self.current.as_mut()?;
        if let Some(first) = current.first {
            let after = sequence.wrapping_sub(first);
            if after > u16::MAX - BEGINNING {
                return None;
            }
            if after > BEGINNING {
                current.first = None;
            }
        }
        let out = sequence.wrapping_add(current.sequence);
        let stamp = timestamp.wrapping_add(current.timestamp);
        if out.wrapping_sub(self.next) < 1 << 15 {
            self.next = out.wrapping_add(1);
            self.last = Some((stamp, now));
        }
        Some((out, stamp))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rewriter(next_sequence: u16) -> Rewriter {
        Rewriter::new(Some(SendPosition { next_sequence, last: None, fraction_lost: None }))
    }

    #[test]
    fn a_stream_goes_out_as_it_came_with_its_gaps_and_its_order() {
        let (mut rewriter, now) = (rewriter(100), Instant::now());
        let mut out = |sequence| rewriter.rewrite(now, (1, 90_000), (sequence, 7)).map(|(number, _)| number);
        assert_eq!(out(65_534), Some(100));
        assert_eq!(out(0), Some(102));
        assert_eq!(out(65_535), Some(101));
        assert_eq!(out(5), Some(107));
    }

    #[test]
    fn another_stream_goes_on_without_a_seam() {
        let (mut rewriter, now) = (rewriter(0), Instant::now());
        assert_eq!(rewriter.rewrite(now, (1, 90_000), (500, 1_000)), Some((0, 1_000)));
        assert_eq!(rewriter.rewrite(now, (1, 90_000), (502, 4_000)), Some((2, 4_000)));
        let later = now + Duration::from_millis(100);
        assert_eq!(rewriter.rewrite(later, (2, 90_000), (9, 77)), Some((3, 13_000)));
        assert_eq!(rewriter.rewrite(later, (2, 90_000), (10, 3_077)), Some((4, 16_000)));
        // From before the change: its number is taken.
        assert_eq!(rewriter.rewrite(later, (2, 90_000), (8, 77)), None);
    }

    #[test]
    fn what_was_left_out_leaves_no_gap() {
        let (mut rewriter, now) = (rewriter(0), Instant::now());
        assert_eq!(rewriter.rewrite(now, (1, 48_000), (500, 0)), Some((0, 0)));
        rewriter.interrupt();
        let later = now + Duration::from_secs(1);
        assert_eq!(rewriter.rewrite(later, (1, 48_000), (550, 48_000)), Some((1, 48_000)));
    }

    #[test]
    fn a_long_stream_keeps_its_numbers_through_every_round() {
        let (mut rewriter, now) = (rewriter(3), Instant::now());
        for at in 0..300_000_u32 {
            let out = rewriter.rewrite(now, (1, 48_000), ((at + 40_000) as u16, at));
            assert_eq!(out, Some(((at + 3) as u16, at)));
        }
    }
}
