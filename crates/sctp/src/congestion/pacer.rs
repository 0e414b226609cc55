//! Pacing: spreads a window over its round trip, so that queues on the way do not overflow in bursts.

use crate::time::{MILLISECOND, Nanos, SECOND, Time};

/// What timers may be late: this much may go out at once. Windows wakes its threads every 15.6 ms, unless a program of its user has
/// asked for more.
const BURST: Nanos = if cfg!(windows) { 16 * MILLISECOND } else { 2 * MILLISECOND };
/// On shorter paths timers are too coarse to pace, and queues are deep compared to the window.
pub(crate) const MIN_RTT: Nanos = BURST + MILLISECOND;
/// At least this many packets may go out at once.
const BURST_PACKETS: u64 = 10;
/// Who had to wait waits until this much may go out: one timer and one system call for several packets. Half of a burst, so
/// that a timer may be late by the other half and nothing of the rate is lost.
const QUANTUM: Nanos = BURST / 2;
/// And no longer than for this much, which one system call takes (GSO).
const QUANTUM_BYTES: u64 = 64 * 1024;

/// When the next packet may leave.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    /// When everything sent so far would have left at the paced rate.
    cleared: Time,
    /// Bytes per second; 0 = not paced.
    rate: u64,
    burst: Nanos,
    /// Who is blocked stays so until then.
    release: Time,
}

impl Pacer {
    /// Sets the rate in bytes per second. What was sent before and has not left is paced anew: a rate that was too low
    /// holds nothing up once it is corrected.
    pub(crate) fn set_rate(&mut self, now: Time, rate: u64, srtt: Option<Nanos>, mtu: usize) {
        let old = std::mem::take(&mut self.rate);
        if srtt.is_none_or(|srtt| srtt < MIN_RTT) {
            return;
        }
        self.rate = rate.max(1);
        if old != self.rate {
            let rate = u128::from(self.rate);
            let rescale = |time: Time| {
                let left = u128::from(time.since(now)) * u128::from(old) / rate;
                now.after(u64::try_from(left).unwrap_or(u64::MAX))
            };
            self.cleared = rescale(self.cleared);
            self.release = rescale(self.release);
        }
        self.burst = BURST.max(self.time_of(BURST_PACKETS * mtu as u64));
    }

    fn time_of(&self, bytes: u64) -> Nanos {
        // A rate of a byte per second, and 64 KiB: 65,536 s.
        bytes.saturating_mul(SECOND) / self.rate.max(1)
    }

    /// When the next packet may leave, if that is not now.
    pub(crate) fn blocked_until(&mut self, now: Time) -> Option<Time> {
        if self.rate == 0 {
            return None;
        }
        if self.cleared > now.after(self.burst) {
            let quantum = QUANTUM.min(self.time_of(QUANTUM_BYTES)).min(self.burst);
            self.release = Time::default().after(self.cleared.as_nanos() - self.burst + quantum);
            return Some(self.release);
        }
        Some(self.release).filter(|release| *release > now)
    }

    /// Takes note of bytes sent.
    pub(crate) fn on_sent(&mut self, now: Time, bytes: usize) {
        if self.rate != 0 {
            self.cleared = self.cleared.max(now).after(self.time_of(bytes as u64));
        }
    }
}
