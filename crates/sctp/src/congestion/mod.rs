//! Congestion control: how much may be in flight.

mod bbr;
mod cubic;
mod delivery;
mod hystart;
mod newreno;
mod pacer;

use std::fmt::Debug;

pub(crate) use bbr::Bbr;
pub(crate) use cubic::Cubic;
pub(crate) use delivery::{Delivery, Departure, LostSample, RateSample};
pub(crate) use newreno::NewReno;
pub(crate) use pacer::Pacer;

use crate::config::CongestionControl;
use crate::time::{Nanos, SECOND, Time};

/// What an acknowledgement tells a controller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ack {
    pub(crate) now: Time,
    /// Bytes that were newly acknowledged.
    pub(crate) bytes: usize,
    /// Those of them that had arrived at a time that nobody knows.
    pub(crate) late: usize,
    /// Whether the window, not the application, held data back.
    pub(crate) limited: bool,
    /// A loss is being repaired, and the window of an algorithm that goes by loss stays as it is.
    pub(crate) recovering: bool,
    /// The round trip time of what was acknowledged now, if it tells one; and the latest that was told.
    pub(crate) rtt: Option<Nanos>,
    pub(crate) latest_rtt: Nanos,
    pub(crate) srtt: Nanos,
    /// Highest TSN acknowledged, and the next one to be sent: they delimit rounds.
    pub(crate) acked_tsn: u64,
    pub(crate) next_tsn: u64,
    /// Still in flight.
    pub(crate) in_flight: usize,
    /// Delivered so far on this path.
    pub(crate) delivered: u64,
    pub(crate) sample: Option<RateSample>,
}

/// A congestion control algorithm. All sizes are bytes on the wire, chunk headers included.
pub(crate) trait Controller: Debug + Send {
    /// How much may be in flight.
    fn window(&self) -> usize;
    /// Below this the window grows exponentially.
    fn threshold(&self) -> usize;
    /// How fast to send, in bytes per second. By default what sends the window in a round trip, and a quarter more, so that
    /// pacing never limits growth; twice as much in slow start.
    fn pacing_rate(&self, srtt: Nanos) -> u64 {
        let window = self.window() as u64;
        let per_round = if self.window() < self.threshold() { window * 2 } else { window + window / 4 };
        per_round.saturating_mul(SECOND) / srtt.clamp(1, 10 * SECOND)
    }
    /// Less is sent than the path would carry, on purpose.
    fn wants_app_limited(&self) -> bool {
        false
    }
    /// Data is about to be sent; `app_limited`: lately there was less of it than the path would have carried.
    fn on_sent(&mut self, _now: Time, _in_flight: usize, _app_limited: bool) {}
    /// Data was acknowledged.
    fn on_ack(&mut self, ack: &Ack);
    /// A chunk was lost.
    fn on_lost(&mut self, _loss: &LostSample) {}
    /// Data was lost; called once per round trip of losses, before `on_lost` of each.
    fn on_loss(&mut self, now: Time);
    /// What was lost has been repaired.
    fn on_recovered(&mut self) {}
    /// The retransmission timer expired with data in flight.
    fn on_timeout(&mut self, now: Time);
    /// The last reduction was a mistake: nothing had been lost.
    fn undo(&mut self);
    /// Nothing was in flight for this many retransmission timeouts: what the window says about the path gets old
    /// (RFC 9260 section 7.2.1, RFC 7661).
    fn on_idle(&mut self, timeouts: u32);
    /// The packet size changed.
    fn on_mtu(&mut self, mtu: usize);
}

/// Makes a controller. `seed`: flows that share a path should not do the same at the same time.
pub(crate) fn controller(kind: CongestionControl, mtu: usize, seed: u32) -> Box<dyn Controller> {
    match kind {
        CongestionControl::NewReno => Box::new(NewReno::new(mtu)),
        CongestionControl::Cubic => Box::new(Cubic::new(mtu)),
        CongestionControl::Bbr => Box::new(Bbr::new(mtu, seed)),
    }
}

/// Window at the start: ten packets (RFC 6928; RFC 9260 allows about four).
pub(crate) fn initial_window(mtu: usize) -> usize {
    mtu * 10
}

/// The window after an idle time: half per timeout, but not below a fresh one.
pub(crate) fn decayed(window: usize, timeouts: u32, mtu: usize) -> usize {
    let floor = initial_window(mtu).min(window);
    (window >> timeouts.min(usize::BITS - 1)).max(floor)
}

/// A loss never pushes the window below this (RFC 9260 section 7.2.3).
pub(crate) fn min_window(mtu: usize) -> usize {
    mtu * 4
}

/// No window grows beyond this: several times what any receiver of ours advertises.
pub(crate) const MAX_WINDOW: usize = 64 * 1024 * 1024;
