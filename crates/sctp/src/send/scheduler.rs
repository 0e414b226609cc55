//! Which stream sends next: weighted fair queueing by priority (RFC 8260 section 3.6).
//!
//! Every stream with data has a virtual finish time that grows with what it sends, divided by its weight; the
//! earliest goes next. So each gets its share, nobody starves, and a turn costs O(log streams with data).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Virtual time of one byte at weight 1; keeps the division's rounding small.
const SCALE: u64 = 1 << 16;

/// What becomes of a stream after its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It has more to send.
    Over,
    /// Its message must be finished before another may start (DATA cannot interleave).
    Pinned,
    /// It has nothing left.
    Drained,
}

/// The queue of streams that have data.
#[derive(Debug, Default)]
pub(crate) struct Scheduler {
    ready: BinaryHeap<Reverse<(u64, u16)>>,
    /// The stream with an unfinished message that cannot be interleaved.
    pinned: Option<(u64, u16)>,
    now: u64,
}

impl Scheduler {
    /// The stream whose turn it is.
    pub(crate) fn peek(&self) -> Option<u16> {
        self.pinned.or_else(|| self.ready.peek().map(|Reverse(entry)| *entry)).map(|(_, stream)| stream)
    }

    /// Adds a stream that got data; `finish` is where it left off: a stream that was idle earns no credit.
    pub(crate) fn add(&mut self, stream: u16, finish: u64) {
        self.ready.push(Reverse((finish.max(self.now), stream)));
    }

    /// Ends the turn of the stream that `peek` named, which sent `bytes`. Returns its new finish time.
    pub(crate) fn end_turn(&mut self, bytes: usize, priority: u16, turn: Turn) -> u64 {
        let cost = bytes as u64 * SCALE / u64::from(priority.max(1));
        if self.pinned.is_none() && turn == Turn::Over {
            // The usual case: the entry sinks to its new place without leaving the heap.
            if let Some(mut top) = self.ready.peek_mut() {
                self.now = self.now.max(top.0.0);
                top.0.0 = top.0.0.saturating_add(cost);
                return top.0.0;
            }
        }
        let Some((start, stream)) =
            self.pinned.take().or_else(|| self.ready.pop().map(|Reverse(entry)| entry))
        else {
            return self.now;
        };
        self.now = self.now.max(start);
        let finish = start.saturating_add(cost);
        match turn {
            Turn::Over => self.ready.push(Reverse((finish, stream))),
            Turn::Pinned => self.pinned = Some((finish, stream)),
            Turn::Drained => {}
        }
        finish
    }

    /// Lets other streams go on, when the pinned message was given up.
    pub(crate) fn unpin(&mut self) {
        if let Some(entry) = self.pinned.take() {
            self.ready.push(Reverse(entry));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(scheduler: &mut Scheduler, priorities: &[u16], turns: usize) -> Vec<usize> {
        let mut served = vec![0; priorities.len()];
        for _ in 0..turns {
            let stream = scheduler.peek().expect("all streams have data");
            served[usize::from(stream)] += 1;
            scheduler.end_turn(1000, priorities[usize::from(stream)], Turn::Over);
        }
        served
    }

    #[test]
    fn streams_share_in_proportion_to_their_priority() {
        let mut scheduler = Scheduler::default();
        let priorities = [128, 256, 512, 1024];
        (0..4).for_each(|stream| scheduler.add(stream, 0));
        assert_eq!(serve(&mut scheduler, &priorities, 1500), [100, 200, 400, 800]);
    }

    #[test]
    fn a_stream_that_was_idle_does_not_push_the_others_aside() {
        let mut scheduler = Scheduler::default();
        scheduler.add(0, 0);
        serve(&mut scheduler, &[256], 1000);
        scheduler.add(1, 0);
        let served = serve(&mut scheduler, &[256, 256], 100);
        assert!(served[0].abs_diff(served[1]) <= 1, "{served:?}");
    }
}
