//! Pacing: spreads a window over its round trip, so that queues on the way do not overflow in bursts.

use crate::time::{MILLISECOND, Nanos, SECOND, Time};

/// What timers may be late: this much may go out at once. Windows wakes its threads every 15.6 ms, unless a program of its user has
/// asked for more.
const BURST: Nanos = if cfg!(windows) { 16 * MILLISECOND } else { 2 * MILLISECOND };
/// On shorter paths timers are too coarse to pace, and queues are deep compared to the window.
const MIN_RTT: Nanos = BURST + MILLISECOND;
/// At least this many packets may go out at once.
const BURST_PACKETS: u64 = 10;

/// When the next packet may leave.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    /// When everything sent so far would have left at the paced rate.
    cleared: Time,
    /// Nanoseconds per KiB; 0 = not paced.
    per_kib: u64,
    burst: Nanos,
}

impl Pacer {
    /// Sets the rate from the window and the round trip time. In slow start the rate is twice what is needed to
    /// send the window in a round trip, afterwards a quarter more, so that pacing never limits growth.
    pub(crate) fn set_rate(&mut self, window: usize, slow_start: bool, srtt: Option<Nanos>, mtu: usize) {
        let Some(srtt) = srtt.filter(|srtt| *srtt >= MIN_RTT) else {
            self.per_kib = 0;
            return;
        };
        let rate_per_rtt =
            window as u64 * if slow_start { 2 } else { 1 } + if slow_start { 0 } else { window as u64 / 4 };
        self.per_kib = (srtt.min(10 * SECOND) * 1024 / rate_per_rtt.max(1)).max(1);
        self.burst = BURST.max(self.per_kib * BURST_PACKETS * mtu as u64 / 1024);
    }

    /// When the next packet may leave, if that is not now.
    pub(crate) fn blocked_until(&self, now: Time) -> Option<Time> {
        (self.per_kib != 0 && self.cleared > now.after(self.burst))
            .then(|| Time::default().after(self.cleared.as_nanos() - self.burst))
    }

    /// Takes note of bytes sent.
    pub(crate) fn on_sent(&mut self, now: Time, bytes: usize) {
        if self.per_kib != 0 {
            self.cleared = self.cleared.max(now).after(bytes as u64 * self.per_kib / 1024);
        }
    }
}
