//! Congestion control: how much may be in flight.

mod cubic;
mod hystart;
mod newreno;
mod pacer;

use std::fmt::Debug;

pub(crate) use cubic::Cubic;
pub(crate) use newreno::NewReno;
pub(crate) use pacer::Pacer;

use crate::config::CongestionControl;
use crate::time::{Nanos, Time};

/// What an acknowledgement tells a controller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ack {
    pub(crate) now: Time,
    /// Bytes that were newly acknowledged.
    pub(crate) bytes: usize,
    /// Whether the window, not the application, held data back.
    pub(crate) limited: bool,
    pub(crate) latest_rtt: Nanos,
    pub(crate) srtt: Nanos,
    /// Highest TSN acknowledged, and the next one to be sent: they delimit rounds.
    pub(crate) acked_tsn: u64,
    pub(crate) next_tsn: u64,
}

/// A congestion control algorithm. All sizes are bytes on the wire, chunk headers included.
pub(crate) trait Controller: Debug + Send {
    /// How much may be in flight.
    fn window(&self) -> usize;
    /// Below this the window grows exponentially.
    fn threshold(&self) -> usize;
    /// Data was acknowledged outside of loss recovery.
    fn on_ack(&mut self, ack: &Ack);
    /// Data was lost; called once per round trip of losses.
    fn on_loss(&mut self, now: Time);
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

/// Makes a controller.
pub(crate) fn controller(kind: CongestionControl, mtu: usize) -> Box<dyn Controller> {
    match kind {
        CongestionControl::NewReno => Box::new(NewReno::new(mtu)),
        CongestionControl::Cubic => Box::new(Cubic::new(mtu)),
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
