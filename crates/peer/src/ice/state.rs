//! When an ICE transport is `checking`, `connected`, `disconnected`, ... (W3C 5.6.3), from timers of our own: the
//! agent neither knows `failed` nor waits as long as RFC 7675 and RFC 8863 ask.

use std::time::{Duration, Instant};

use super::generation::Generation;
use super::transport::IceTransport;
use crate::states::IceState;

/// Without end-of-candidates more remote candidates may always come, but an application that never sends it has to
/// learn of the failure some time. RFC 8863 asks for at least 39.5 s.
const WITHOUT_END: Duration = Duration::from_secs(60);

impl IceTransport {
    /// The W3C state at this moment.
    pub(crate) fn state(&self, now: Instant) -> IceState {
        derive(self, now)
    }
}

fn derive(ice: &IceTransport, now: Instant) -> IceState {
    if ice.is_closed() {
        return IceState::Closed;
    }
    let in_use = used_state(ice, now);
    match (in_use, &ice.next) {
        // A restart brings new hope: what was lost is forgotten.
        (Some(IceState::Disconnected | IceState::Failed), Some(next)) if next.started() => {
            if exhausted_at(ice, next).is_some_and(|t| t <= now) {
                IceState::Failed
            } else {
                IceState::Checking
            }
        }
        (Some(IceState::Completed), Some(next)) if next.started() => IceState::Connected,
        (Some(state), _) => state,
        (None, _) => match &ice.current {
            Some(current) if current.started() => {
                if ice.failed || exhausted_at(ice, current).is_some_and(|t| t <= now) {
                    IceState::Failed
                } else if has_remote(ice, current) {
                    IceState::Checking
                } else {
                    IceState::New
                }
            }
            _ => IceState::New,
        },
    }
}

/// The next moment at which [`IceTransport::state`] may say something else without anything having happened.
pub(crate) fn next_change(ice: &IceTransport) -> Option<Instant> {
    if ice.is_closed() {
        return None;
    }
    let now = ice.clock()?;
    let mut earliest: Option<Instant> = None;
    let mut consider = |t: Option<Instant>| {
        if let Some(t) = t.filter(|t| *t > now) {
            earliest = Some(earliest.map_or(t, |e| e.min(t)));
        }
    };
    if let Some(pair) = ice.route_pair() {
        let heard = pair.last_heard();
        consider(heard.checked_add(ice.config.patience()));
        consider(heard.checked_add(ice.config.disconnected_timeout));
        consider(ice.config.failed_timeout.and_then(|t| pair.last_answer().checked_add(t)));
    } else if let Some(current) = &ice.current {
        consider(exhausted_at(ice, current));
    }
    if let Some(next) = &ice.next {
        consider(exhausted_at(ice, next));
    }
    earliest
}

/// The state of the pair in use, if there is one.
fn used_state(ice: &IceTransport, now: Instant) -> Option<IceState> {
    ice.route?;
    let Some(pair) = ice.route_pair() else { return Some(IceState::Disconnected) };
    if ice.failed {
        return Some(IceState::Failed);
    }
    let unanswered = now.saturating_duration_since(pair.last_answer());
    if ice.config.failed_timeout.is_some_and(|limit| unanswered >= limit) {
        return Some(IceState::Failed);
    }
    let silence = now.saturating_duration_since(pair.last_heard());
    // Nothing can be sent to a peer that has ended its TCP connection, until it opens another one.
    if pair.closed || silence >= ice.config.disconnected_timeout {
        return Some(IceState::Disconnected);
    }
    let done = ice.current.as_ref().is_some_and(|c| c.gathering_done && c.remote_end && all_answered(ice, c));
    Some(if done { IceState::Completed } else { IceState::Connected })
}

/// When the candidates of a generation without a usable pair are exhausted.
fn exhausted_at(ice: &IceTransport, generation: &Generation) -> Option<Instant> {
    if !generation.started() || ice.route.is_some_and(|r| r.generation == generation.number) {
        return None;
    }
    if generation.gathering_done && generation.locals.is_empty() && ice.route.is_none() {
        // Without an address of our own nothing leaves, and nothing comes in.
        return Some(generation.last_news);
    }
    let grace = if generation.remote_end && generation.gathering_done {
        ice.config.checking_timeout
    } else if has_remote(ice, generation) {
        WITHOUT_END.max(ice.config.checking_timeout)
    } else {
        return None;
    };
    generation.last_news.checked_add(grace)
}

fn has_remote(ice: &IceTransport, generation: &Generation) -> bool {
    !generation.remotes.is_empty() || ice.pairs.iter().any(|p| p.generation == generation.number)
}

fn all_answered(ice: &IceTransport, generation: &Generation) -> bool {
    ice.pairs
        .iter()
        .filter(|p| p.generation == generation.number)
        .all(|p| p.last_response.is_some() || p.lite)
}
