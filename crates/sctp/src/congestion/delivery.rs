//! How fast the path delivers (draft-ietf-ccwg-bbr section 4.1): what is noted when a chunk leaves, and what its
//! acknowledgement says then. No allocation: the note is a part of the chunk.

use crate::time::{Nanos, SECOND, Time};

/// What had been delivered and lost when a chunk was sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Departure {
    delivered: u64,
    delivered_at: Time,
    first_sent_at: Time,
    /// The low bits of the count: no window holds more than they can say.
    lost: u32,
    late: u32,
    in_flight: u32,
    app_limited: bool,
}

/// What the acknowledgements of one SACK say about the path. All amounts are bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateSample {
    /// Bytes per second; `None`: too little time has passed to tell.
    pub(crate) rate: Option<u64>,
    /// Delivered since the chunk was sent, without what had arrived at a time that nobody knows.
    pub(crate) delivered: u64,
    /// Delivered in all when the chunk was sent: delimits rounds.
    pub(crate) prior_delivered: u64,
    /// In flight when the chunk had been sent.
    pub(crate) in_flight: u64,
    /// Lost since the chunk was sent.
    pub(crate) lost: u64,
    /// The application or the peer's window, not the path, was the limit.
    pub(crate) app_limited: bool,
}

/// What is known of a chunk that was lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LostSample {
    pub(crate) bytes: u64,
    /// Delivered in all when the chunk was sent.
    pub(crate) prior_delivered: u64,
    /// In flight when the chunk had been sent.
    pub(crate) in_flight: u64,
    /// Lost since the chunk was sent, itself included.
    pub(crate) lost: u64,
    pub(crate) app_limited: bool,
}

/// The chunk of a SACK that was sent last.
#[derive(Clone, Copy, Debug)]
struct Newest {
    order: u64,
    sent_at: Time,
    departure: Departure,
}

/// Counters of what was delivered and lost on this path.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    delivered: u64,
    delivered_at: Time,
    first_sent_at: Time,
    lost: u64,
    /// Delivered at a time that nobody knows.
    late: u64,
    /// Until so much is delivered, samples are limited by what there was to send; 0 = they are not.
    limited_until: u64,
    newest: Option<Newest>,
    /// Transmissions up to this one were on another path.
    elsewhere: u64,
}

impl Delivery {
    /// The path is another one: what was sent before, up to this transmission, says nothing about it.
    pub(crate) fn on_path_change(&mut self, order: u64) {
        self.elsewhere = order;
        self.newest = None;
    }

    /// Bytes delivered so far.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Whether what is in flight says little about the path.
    pub(crate) fn is_app_limited(&self) -> bool {
        self.limited_until != 0
    }

    /// A chunk leaves; `in_flight` counts what was in flight before it.
    pub(crate) fn on_sent(&mut self, now: Time, in_flight: usize, size: usize) -> Departure {
        if in_flight == 0 {
            self.first_sent_at = now;
            self.delivered_at = now;
        }
        Departure {
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
            lost: self.lost as u32,
            late: self.late as u32,
            in_flight: u32::try_from(in_flight + size).unwrap_or(u32::MAX),
            app_limited: self.limited_until != 0,
        }
    }

    /// There is nothing to send, or nothing that the peer would take: the next samples say little about the path.
    pub(crate) fn on_app_limited(&mut self, in_flight: usize) {
        self.limited_until = (self.delivered + in_flight as u64).max(1);
    }

    /// A chunk arrived. `order` counts transmissions; `None`: which one it was is not known.
    pub(crate) fn on_delivered(
        &mut self,
        now: Time,
        size: usize,
        order: Option<u64>,
        sent_at: Time,
        departure: &Departure,
    ) {
        self.delivered += size as u64;
        self.delivered_at = now;
        let Some(order) = order.filter(|order| *order > self.elsewhere) else { return };
        if self.newest.is_none_or(|newest| order > newest.order) {
            self.newest = Some(Newest { order, sent_at, departure: *departure });
        }
    }

    /// A chunk turns out to have arrived earlier: the peer had had no room to say so.
    pub(crate) fn on_delivered_earlier(&mut self, size: usize) {
        self.delivered += size as u64;
        self.late += size as u64;
    }

    /// A chunk was lost.
    pub(crate) fn on_lost(&mut self, size: usize, departure: &Departure) -> LostSample {
        self.lost += size as u64;
        LostSample {
            bytes: size as u64,
            prior_delivered: departure.delivered,
            in_flight: u64::from(departure.in_flight),
            lost: self.lost_since(departure),
            app_limited: departure.app_limited,
        }
    }

    fn lost_since(&self, departure: &Departure) -> u64 {
        u64::from((self.lost as u32).wrapping_sub(departure.lost))
    }

    /// What the chunks of a SACK that were passed to `on_delivered` say together. `min_rtt`: less time than that is no
    /// measurement, but several acknowledgements at once.
    pub(crate) fn take_sample(&mut self, now: Time, min_rtt: Nanos) -> Option<RateSample> {
        if self.limited_until != 0 && self.delivered > self.limited_until {
            self.limited_until = 0;
        }
        let Newest { sent_at, departure, .. } = self.newest.take()?;
        self.first_sent_at = self.first_sent_at.max(sent_at);
        // Sending took so long, and so did the acknowledgements: the longer of the two is not compressed.
        let interval = sent_at.since(departure.first_sent_at).max(now.since(departure.delivered_at));
        let late = u64::from((self.late as u32).wrapping_sub(departure.late));
        let delivered = self.delivered.saturating_sub(departure.delivered).saturating_sub(late);
        let rate = (u128::from(delivered) * u128::from(SECOND)).checked_div(u128::from(interval));
        Some(RateSample {
            rate: rate.filter(|_| interval >= min_rtt).map(|rate| u64::try_from(rate).unwrap_or(u64::MAX)),
            delivered,
            prior_delivered: departure.delivered,
            in_flight: u64::from(departure.in_flight),
            lost: self.lost_since(&departure),
            app_limited: departure.app_limited,
        })
    }
}
