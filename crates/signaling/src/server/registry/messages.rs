//! Messages that come from other servers of the cluster, and what becomes of those that go there.

use std::sync::atomic::Ordering;

use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{Letter, Outgoing, State, TooSlow};
use crate::control::ServerFrame;
use crate::envelope::Envelope;
use crate::error::{ErrorBody, code};
use crate::message::SignalingMessage;
use crate::server::Shared;
use crate::server::stats::count;
use crate::uri::AgentUri;

impl Shared {
    /// Hands a message to an agent of this server.
    pub(super) fn deliver(&self, state: &State, to: &AgentUri, text: &str) -> bool {
        let Some(entry) = state.agents.get(to) else { return false };
        let delivered = entry.owner.push(Outgoing::Text(Utf8Bytes::from(text))).is_ok();
        if delivered {
            count(&self.counters.relayed);
            self.counters.relayed_bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
        }
        delivered
    }

    /// Tells the sender of a message that nobody got it; always in the same words. An undeliverable error is not answered
    /// with an error: two servers could play ping-pong with them.
    pub(in crate::server) fn unreachable(&self, letter: Letter) -> Result<(), TooSlow> {
        count(&self.counters.undeliverable);
        if letter.is_error {
            return Ok(());
        }
        let text = format!("{} is not registered with this signaling server", letter.to);
        let error = ErrorBody::new(code::AGENT_UNREACHABLE, text);
        let frame =
            ServerFrame::Error { to: Some(letter.from), session_id: letter.session_id, room: None, error };
        letter.sender.push(Outgoing::Text(frame.to_json().into()))
    }

    /// Tells the sender of a message that there were too many of `what`, as the server of the recipient has found.
    pub(super) fn excessive(&self, state: &State, what: &str, text: &str) {
        if let Ok(SignalingMessage { from: Some(from), session_id, .. }) = SignalingMessage::parse(text)
            && let Some(entry) = state.agents.get(&from)
        {
            count(&self.counters.rate_limited);
            let error = ErrorBody::new(code::RATE_LIMIT_EXCEEDED, format!("too many {what}; slow down"));
            let frame = ServerFrame::Error { to: Some(from), session_id, room: None, error };
            // A sender that does not read is being disconnected.
            let _ = entry.owner.push(Outgoing::Text(frame.to_json().into()));
        }
    }
}

/// What somebody on another server sends too much of with this message to `to`, if he does.
pub(super) fn excess(shared: &Shared, to: &AgentUri, text: &str) -> Option<&'static str> {
    let now = Instant::now();
    if let Some(envelope) = Envelope::read(text)
        && let Ok(from) = envelope.from.parse::<AgentUri>()
    {
        // Names in canonical form: others would each be counted by itself.
        let envelope = Envelope { from: from.as_str().into(), to: to.as_str().into(), ..envelope };
        return shared.over_its_limit(&envelope, now);
    }
    let message = SignalingMessage::parse(text).ok()?;
    shared.over_its_limit(&message.envelope(message.from.as_ref()?), now)
}
