//! How much work encoders put into a packet: what browsers do, as long as this machine keeps up with all of its calls, and less beyond that.

use std::time::{Duration, Instant};

/// The steps, as libopus counts: what browsers have on desktops, the least with which it tells speech from music, and the least there is. Measured,
/// 20 ms of speech take 205, 179 and 74 us of a processor, of tones 114, 106 and 104. What lies between costs more, not less: below 7 it takes
/// everything for speech, which is the dearer one, and searches it without AVX2.
const STEPS: [u8; 3] = [9, 7, 0];

/// Audio that has waited so long for its encoder is late: two packets. Of hundreds of calls whose audio comes in the same moment, the last waits for
/// the others, which takes a few milliseconds.
const LATE: Duration = Duration::from_millis(40);

/// How long is looked at before anything is judged, and of how many blocks more than one must be late.
const WINDOW: Duration = Duration::from_secs(1);
const OF: u32 = 10;

/// All must have been in time for so long before more work is tried again: at first, and at most after that was too much.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(300));

/// What all encoders of a process have in common.
#[derive(Debug)]
pub(crate) struct Complexity {
    step: usize,
    /// Since when blocks are counted, how many there were, and how many of these were late.
    window: Option<Instant>,
    blocks: u32,
    late: u32,
    /// All were in time since then.
    calm: Option<Instant>,
    /// When more was tried last.
    raised: Option<Instant>,
    patience: Duration,
}

impl Complexity {
    /// As much as there is.
    pub(crate) const fn new() -> Self {
        Self { step: 0, window: None, blocks: 0, late: 0, calm: None, raised: None, patience: PATIENCE.0 }
    }

    /// What encoders spend, 0 to 10.
    pub(crate) fn current(&self) -> u8 {
        STEPS[self.step]
    }

    /// A block is encoded at `now` that has waited for so long. Returns what to spend on it, 0 to 10.
    pub(crate) fn observe(&mut self, now: Instant, waited: Duration) -> u8 {
        let since = *self.window.get_or_insert(now);
        self.calm.get_or_insert(now);
        self.blocks += 1;
        self.late += u32::from(waited > LATE);
        if now.saturating_duration_since(since) >= WINDOW {
            self.judge(now);
            (self.window, self.blocks, self.late) = (Some(now), 0, 0);
        }
        self.current()
    }

    fn judge(&mut self, now: Instant) {
        let since = |at: Option<Instant>| at.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        if self.late > 0 {
            self.calm = Some(now);
        }
        if self.late * OF > self.blocks {
            if since(self.raised) <= self.patience {
                self.patience = (self.patience * 2).min(PATIENCE.1);
            }
            self.step = (self.step + 1).min(STEPS.len() - 1);
            self.raised = None;
        } else if self.step > 0 && since(self.calm) >= self.patience {
            self.step -= 1;
            (self.calm, self.raised) = (Some(now), Some(now));
        } else if self.step == 0 && since(self.calm) >= self.patience {
            self.patience = PATIENCE.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A machine that 200 calls have audio on each 10 ms, for so many seconds. `keeps_up(step)`: whether it does so at that much work.
    fn run(
        complexity: &mut Complexity,
        now: &mut Instant,
        seconds: u32,
        keeps_up: impl Fn(u8) -> bool,
    ) -> Vec<u8> {
        let mut steps = vec![complexity.current()];
        let mut behind = Duration::ZERO;
        for _ in 0..seconds * 100 {
            *now += 10 * MS;
            behind =
                if keeps_up(complexity.current()) { behind / 2 } else { (behind + 2 * MS).min(500 * MS) };
            for call in 0..200 {
                complexity.observe(*now, behind + call * MS / 20);
            }
            if steps.last() != Some(&complexity.current()) {
                steps.push(complexity.current());
            }
        }
        steps
    }

    #[test]
    fn a_machine_that_keeps_up_spends_what_browsers_spend() {
        let (mut complexity, mut now) = (Complexity::new(), Instant::now());
        assert_eq!(run(&mut complexity, &mut now, 60, |_| true), [9]);
    }

    #[test]
    fn one_that_does_not_spends_less_until_it_keeps_up_and_no_less_than_that() {
        let (mut complexity, mut now) = (Complexity::new(), Instant::now());
        assert_eq!(run(&mut complexity, &mut now, 8, |step| step <= 7), [9, 7]);
        let (mut complexity, mut now) = (Complexity::new(), Instant::now());
        assert_eq!(run(&mut complexity, &mut now, 8, |step| step == 0), [9, 7, 0]);
        let (mut complexity, mut now) = (Complexity::new(), Instant::now());
        assert_eq!(run(&mut complexity, &mut now, 30, |_| false), [9, 7, 0]);
    }

    #[test]
    fn it_goes_back_to_more_when_calls_have_ended() {
        let (mut complexity, mut now) = (Complexity::new(), Instant::now());
        run(&mut complexity, &mut now, 10, |_| false);
        assert_eq!(run(&mut complexity, &mut now, 60, |_| true), [0, 7, 9]);
    }

    #[test]
    fn what_was_too_much_is_tried_again_ever_less_often() {
        let (mut complexity, mut now) = (Complexity::new(), Instant::now());
        let mut tries = |seconds| {
            let steps = run(&mut complexity, &mut now, seconds, |step| step <= 7);
            steps.iter().filter(|step| **step == 9).count()
        };
        let (first, second, later) = (tries(120), tries(480), tries(1_200));
        assert!((2..=5).contains(&first), "{first}");
        assert!((1..=4).contains(&second), "{second}");
        assert!((2..=5).contains(&later), "{later}");
    }

    #[test]
    fn a_single_pause_of_the_machine_changes_nothing() {
        let (mut complexity, mut now) = (Complexity::new(), Instant::now());
        run(&mut complexity, &mut now, 5, |_| true);
        for call in 0..200 {
            complexity.observe(now + 300 * MS, 300 * MS - call * MS / 20);
        }
        now += 300 * MS;
        assert_eq!(run(&mut complexity, &mut now, 20, |_| true), [9]);
    }
}
