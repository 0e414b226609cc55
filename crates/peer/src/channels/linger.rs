//! Channels that are closed right after they were opened: their reset waits until the peer has had time to hand them to its program.
//!
//! Nothing in RFC 8831 section 6.7 asks for it. But browsers and libdatachannel read a stream in one thread and tell the program of
//! its channel in another; a reset that comes before the program listens makes them drop what came in between, or keeps the
//! channel open for ever. Their acknowledgements come from the first thread and tell nothing about the second.

use std::time::{Duration, Instant};

use ossa_sctp::Association;

use super::registry::Channels;
use super::types::ChannelId;

/// How long after the peer has acknowledged a channel its stream is not reset. Browsers that are given 50 channels at once need up to
/// 50 ms; whoever opens a channel for each request waits no longer than a person notices.
pub(super) const GRACE: Duration = Duration::from_millis(100);
/// How long after its announcement a channel waits for the DATA_CHANNEL_ACK: one that got lost on a slow path has come a second time.
pub(super) const ACK_PATIENCE: Duration = Duration::from_secs(2);

impl Channels {
    /// Lets a channel that closes wait for its reset. False: there is nothing to wait for.
    pub(super) fn linger(&mut self, now: Instant, id: ChannelId) -> bool {
        let until = self.by_id.get(&id).and_then(|channel| channel.lingers_until).filter(|at| *at > now);
        until.is_some_and(|at| self.lingering.insert((at, id)))
    }

    /// The peer has shown that it knows a channel.
    pub(super) fn confirm(&mut self, now: Instant, id: ChannelId) {
        let Some(channel) = self.by_id.get_mut(&id).filter(|channel| !channel.confirmed) else { return };
        channel.confirmed = true;
        let Some(before) = channel.lingers_until else { return };
        let until = before.min(now + GRACE);
        channel.lingers_until = Some(until);
        if self.lingering.remove(&(before, id)) {
            self.lingering.insert((until, id));
        }
    }

    /// A channel waits no longer.
    pub(super) fn end_lingering(&mut self, id: ChannelId) {
        if let Some(at) = self.by_id.get(&id).and_then(|channel| channel.lingers_until) {
            self.lingering.remove(&(at, id));
        }
    }

    /// Resets the streams of the channels that have waited long enough.
    pub(super) fn reset_lingering(&mut self, now: Instant, sctp: &mut Association) {
        while let Some((_, id)) = self.lingering.first().copied().filter(|(at, _)| *at <= now) {
            self.lingering.pop_first();
            self.reset(now, id, sctp);
        }
    }
}
