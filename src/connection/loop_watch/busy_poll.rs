//! When to wait for the next message without sleeping.
//!
//! To put a thread to sleep and wake it again costs some 20 us of processor time and as much delay, often more than all the rest of a small
//! message. Where the last messages came within a moment, so will the next, most likely; then asking for it over and over is
//! quicker and cheaper. It is what `SO_BUSY_POLL` and the idle loop of a virtual machine (`haltpoll`) do.
//!
//! # What it may cost
//! What is polled in vain, and what is polled for longer than sleeping would have cost, has a budget of [`SHARE`] of a processor. A loop that has
//! anything else to do is not held up.

use std::time::{Duration, Instant};

/// So many short waits in a row, and the next one is likely to be short.
const LIKELY: u32 = 4;

/// A wait up to this is short. With both ends asleep in between, an answer takes as long.
const SHORT: Duration = Duration::from_micros(200);

/// How long a wait is polled for.
const PATIENCE: Duration = Duration::from_micros(100);

/// What polling saves, if the message comes: to sleep, to be woken, and to wake.
const SAVED: Duration = Duration::from_micros(50);

/// Two looks at the clock this far apart tell that the processor was taken away: others need it more.
const PREEMPTED: Duration = Duration::from_micros(50);

/// One part in so many of the time may be wasted.
const SHARE: u32 = 40;

/// As much may be wasted at once, and is remembered of what was.
const BUDGET: Duration = Duration::from_millis(2);
const DEBT: Duration = Duration::from_millis(20);

/// What is remembered of the last waits. Time is passed in.
#[derive(Debug, Default)]
pub(super) struct BusyPoll {
    /// When the loop first had nothing to do since the last message.
    waiting: Option<Instant>,
    /// Short waits in a row.
    short: u32,
    /// When this wait began to be polled for, and when the clock was looked at last.
    polling: Option<(Instant, Instant)>,
    wasted: Wasted,
}

impl BusyPoll {
    /// The loop has nothing to do. Whether to poll, as long as [`Self::goes_on`] says.
    pub(super) fn begin(&mut self, now: Instant) -> bool {
        self.waiting.get_or_insert(now);
        let begins = self.short >= LIKELY && self.wasted.is_affordable(now);
        self.polling = begins.then_some((now, now));
        begins
    }

    /// Whether to look once more.
    pub(super) fn goes_on(&mut self, now: Instant) -> bool {
        let Some((begun, looked)) = self.polling else { return false };
        let preempted = now.saturating_duration_since(looked) > PREEMPTED;
        let waited = now.saturating_duration_since(self.waiting.unwrap_or(begun));
        if !preempted && waited < PATIENCE {
            self.polling = Some((begun, now));
            return true;
        }
        self.wasted.add(now.saturating_duration_since(begun));
        self.polling = None;
        self.short = 0;
        false
    }

    /// A message has come.
    pub(super) fn end(&mut self, now: Instant) {
        if let Some((begun, _)) = self.polling.take() {
            self.wasted.add(now.saturating_duration_since(begun).saturating_sub(SAVED));
        }
        match self.waiting.take().map(|since| now.saturating_duration_since(since)) {
            Some(waited) if waited <= SHORT => self.short = self.short.saturating_add(1),
            Some(_) => self.short = 0,
            // There was no wait at all.
            None => {}
        }
    }

    /// The exchange is over.
    pub(super) fn rest(&mut self) {
        (self.waiting, self.polling, self.short) = (None, None, 0);
    }
}

/// What was wasted and is not forgiven yet.
#[derive(Debug, Default)]
struct Wasted {
    time: Duration,
    /// Up to when it was forgiven.
    until: Option<Instant>,
}

impl Wasted {
    fn is_affordable(&mut self, now: Instant) -> bool {
        let passed =
            self.until.replace(now).map_or(Duration::ZERO, |until| now.saturating_duration_since(until));
        self.time = self.time.saturating_sub(passed / SHARE);
        self.time < BUDGET
    }

    fn add(&mut self, time: Duration) {
        self.time = (self.time + time).min(DEBT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event loop in virtual time, which looks at the clock once in a microsecond.
    struct Loop {
        poll: BusyPoll,
        now: Instant,
        /// Time spent polling.
        polled: Duration,
    }

    const LOOK: Duration = Duration::from_micros(1);

    impl Loop {
        fn new() -> Self {
            Self { poll: BusyPoll::default(), now: Instant::now(), polled: Duration::ZERO }
        }

        /// Waits for a message that comes after so long. True if it was polled for until it came.
        fn wait(&mut self, wait: Duration) -> bool {
            let came = self.now + wait;
            let mut awake = self.poll.begin(self.now);
            while awake && self.now < came {
                awake = self.poll.goes_on(self.now);
                if awake {
                    self.now += LOOK;
                    self.polled += LOOK;
                }
            }
            self.now = came;
            self.poll.end(came);
            awake
        }

        fn waits(&mut self, count: u32, wait: Duration) -> usize {
            (0..count).filter(|_| self.wait(wait)).count()
        }
    }

    fn share(looped: &Loop, begun: Instant) -> f64 {
        looped.polled.as_secs_f64() / (looped.now - begun).as_secs_f64()
    }

    #[test]
    fn in_a_quick_exchange_it_does_not_sleep() {
        let mut looped = Loop::new();
        // With both ends asleep in between.
        looped.waits(LIKELY, Duration::from_micros(120));
        assert_eq!(looped.waits(1000, Duration::from_micros(15)), 1000);
    }

    #[test]
    fn an_exchange_over_a_network_is_not_polled_for() {
        let mut looped = Loop::new();
        looped.waits(10_000, Duration::from_micros(250));
        assert_eq!(looped.polled, Duration::ZERO);
    }

    #[test]
    fn waits_a_little_too_long_cost_a_small_share() {
        let (mut looped, begun) = (Loop::new(), Instant::now());
        looped.waits(100_000, PATIENCE + Duration::from_micros(20));
        assert!(share(&looped, begun) < 0.03);
    }

    #[test]
    fn bursts_with_pauses_between_cost_a_small_share() {
        let (mut looped, begun) = (Loop::new(), Instant::now());
        for _ in 0..10_000 {
            looped.waits(LIKELY, Duration::from_micros(150));
            looped.waits(1, Duration::from_millis(1));
        }
        assert!(share(&looped, begun) < 0.03);
    }

    #[test]
    fn now_and_then_a_long_wait_is_forgiven() {
        let mut looped = Loop::new();
        for _ in 0..100 {
            looped.waits(LIKELY, Duration::from_micros(20));
            assert_eq!(looped.waits(300, Duration::from_micros(20)), 300);
            assert!(!looped.wait(Duration::from_millis(5)));
        }
    }

    #[test]
    fn where_the_processor_is_taken_away_it_mostly_sleeps() {
        let (mut looped, begun) = (Loop::new(), Instant::now());
        for _ in 0..100_000 {
            if looped.poll.begin(looped.now) && looped.poll.goes_on(looped.now) {
                looped.now += Duration::from_millis(1);
                looped.polled += Duration::from_millis(1);
                assert!(!looped.poll.goes_on(looped.now));
            }
            looped.now += Duration::from_micros(20);
            looped.poll.end(looped.now);
        }
        assert!(share(&looped, begun) < 0.03);
    }

    #[test]
    fn other_turns_of_the_loop_do_not_make_it_poll_longer() {
        let mut looped = Loop::new();
        looped.waits(LIKELY, Duration::from_micros(20));
        assert!(looped.poll.begin(looped.now));
        assert!(looped.poll.goes_on(looped.now));
        looped.now += PATIENCE;
        assert!(looped.poll.begin(looped.now));
        assert!(!looped.poll.goes_on(looped.now));
    }
}
