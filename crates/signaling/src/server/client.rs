//! A connected client, whatever carries its frames: its registrations, its messages, its end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::registry::{Claim, Close, Departure, Handle, NotJoined, Outgoing, TooSlow};
use super::stats::count;
use super::{ServerConfig, Shared};
use crate::{
    AgentUri, Body, ClientFrame, ErrorBody, FEATURE_ROOMS, RoomName, ServerFrame, SignalingMessage,
    close_code, code,
};

const REPLACED: Close = Close { code: close_code::REPLACED, reason: "another connection took over" };
const IDLE: Close = Close { code: close_code::IDLE, reason: "nothing heard, not even pongs" };
const NOT_REGISTERED: Close = Close { code: close_code::NOT_REGISTERED, reason: "no registration in time" };

/// What the server does with the frames of one client. What it has to say goes into the queue of its [`Handle`], which
/// the transport empties; the client is gone when this is dropped.
pub(super) struct Client {
    shared: Arc<Shared>,
    handle: Arc<Handle>,
    /// Every agent registered here, possibly taken over by another connection since.
    agents: Vec<AgentUri>,
}

impl Client {
    /// A client that has just connected, and the queue of what is to be written to it.
    pub(super) fn new(shared: Arc<Shared>, id: u64) -> (Self, mpsc::UnboundedReceiver<Outgoing>) {
        count(&shared.counters.connections);
        count(&shared.counters.total_connections);
        let (handle, queue) = Handle::new(id, shared.config.max_queue_bytes);
        (Self { shared, handle, agents: Vec::new() }, queue)
    }

    /// How the rest of the server sees this client.
    pub(super) fn handle(&self) -> &Arc<Handle> {
        &self.handle
    }

    /// Serves one text frame. An error means that the client does not even read the answers to its own frames.
    pub(super) async fn frame(&mut self, text: Utf8Bytes) -> Result<(), TooSlow> {
        match ClientFrame::parse(&text) {
            Ok(ClientFrame::Register { agent, resume }) => match self.register(&agent, resume).await {
                Ok(resume) => self.answer(&ServerFrame::Registered {
                    agent_id: agent,
                    resume,
                    idle_timeout_ms: millis(self.shared.config.idle_timeout),
                    features: vec![FEATURE_ROOMS.to_owned()],
                }),
                Err(error) => self.refuse(Some(agent), None, error),
            },
            Ok(ClientFrame::Unregister { agent }) => {
                self.shared.registry.release(&agent, &self.handle, Departure::Left);
                self.agents.retain(|registered| *registered != agent);
                self.answer(&ServerFrame::Unregistered { agent_id: agent })
            }
            Ok(ClientFrame::Join { agent, room }) => self.join(agent, room).await,
            Ok(ClientFrame::Leave { agent, room }) => {
                match self.shared.registry.leave(&agent, &self.handle, &room) {
                    Ok(()) => self.answer(&ServerFrame::Left { agent_id: agent, room }),
                    Err(error) => self.refuse_room(agent, room, error),
                }
            }
            Ok(ClientFrame::Message(message)) => self.relay(message, text).await,
            Err(error) => self.refuse(None, None, ErrorBody::new(code::INVALID_MESSAGE, error.0)),
        }
    }

    /// Refuses a frame that is no text.
    pub(super) fn refuse_binary(&self) -> Result<(), TooSlow> {
        let text = "binary frames have no meaning here; send JSON as text";
        self.refuse(None, None, ErrorBody::new(code::PROTOCOL_ERROR, text))
    }

    /// Registers the agent that the URL of the connection names.
    pub(super) async fn greet(&mut self, agent: AgentUri) -> Result<(), TooSlow> {
        match self.register(&agent, None).await {
            Ok(_) => Ok(()),
            Err(error) => self.refuse(Some(agent), None, error),
        }
    }

    /// Gives all its names up, at once instead of when this is dropped.
    pub(super) fn release_all(&mut self) {
        for agent in self.agents.drain(..) {
            self.shared.registry.release(&agent, &self.handle, Departure::Lost);
        }
    }

    /// Registers `agent` here and returns its resume token. If another connection has it, that one must answer a
    /// ping within the take-over time, or loses it.
    async fn register(&mut self, agent: &AgentUri, resume: Option<String>) -> Result<String, ErrorBody> {
        if !self.agents.contains(agent) && self.agents.len() >= self.shared.config.max_registrations {
            let limit = self.shared.config.max_registrations;
            let text = format!("this connection has {limit} agents already, the most allowed");
            return Err(ErrorBody::new(code::RATE_LIMIT_EXCEEDED, text));
        }
        let mut dead = None;
        let (resume, displaced) = loop {
            match self.shared.registry.claim(agent, &self.handle, resume.as_deref(), dead) {
                Claim::Granted { resume, displaced } => break (resume, displaced),
                Claim::Held(owner) => {
                    if answers(&owner, self.shared.config.takeover_timeout).await {
                        let text = format!("{agent} is registered by another connection, which is alive");
                        return Err(ErrorBody::new(code::UNAUTHORIZED, text));
                    }
                    dead = Some(owner.id);
                }
            }
        };
        if let Some(old) = displaced {
            tell_displaced(&old, agent);
        }
        if !self.agents.contains(agent) {
            self.agents.push(agent.clone());
        }
        Ok(resume)
    }

    async fn join(&mut self, agent: AgentUri, room: RoomName) -> Result<(), TooSlow> {
        // As for messages: a client that knows nothing of registration is registered by its first frame.
        if self.agents.is_empty()
            && let Err(error) = self.register(&agent, None).await
        {
            return self.refuse_room(agent, room, error);
        }
        match self.shared.registry.join(&agent, &self.handle, &room, self.shared.config.room_limits()) {
            Ok(()) => Ok(()),
            Err(NotJoined::Refused(error)) => self.refuse_room(agent, room, error),
            Err(NotJoined::TooSlow) => Err(TooSlow),
        }
    }

    async fn relay(&mut self, message: SignalingMessage, mut text: Utf8Bytes) -> Result<(), TooSlow> {
        let session = message.session_id.clone();
        let from = match &message.from {
            Some(from) => from.clone(),
            // Errors only. Stamped, so that an error without sender can come from the server alone.
            None => match self.agents.as_slice() {
                [only] => {
                    let stamped = SignalingMessage { from: Some(only.clone()), ..message.clone() };
                    text = stamped.to_json().into();
                    only.clone()
                }
                _ => {
                    let error = "an error without \"from\" needs a connection with exactly one agent";
                    return self.refuse(None, session, ErrorBody::new(code::INVALID_MESSAGE, error));
                }
            },
        };
        // A client that knows nothing of registration is registered by its first message.
        if self.agents.is_empty()
            && let Err(error) = self.register(&from, None).await
        {
            return self.refuse(Some(from), session, error);
        }
        if from == message.to {
            let error = ErrorBody::new(code::INVALID_MESSAGE, "\"from\" and \"to\" are the same agent");
            return self.refuse(Some(from), session, error);
        }
        let (owned, recipient) = self.shared.registry.route(&from, &self.handle, &message.to);
        if !owned {
            let error = format!("{from} is not registered on this connection");
            return self.refuse(None, session, ErrorBody::new(code::UNAUTHORIZED, error));
        }
        let length = text.len() as u64;
        match recipient.map(|recipient| recipient.push(Outgoing::Text(text))) {
            Some(Ok(())) => {
                count(&self.shared.counters.relayed);
                self.shared.counters.relayed_bytes.fetch_add(length, Ordering::Relaxed);
                Ok(())
            }
            // Nobody there, or somebody who is being disconnected for not reading: the same for the sender.
            // An undeliverable error is not answered with an error: two servers could play ping-pong with them.
            _ => {
                count(&self.shared.counters.undeliverable);
                if matches!(message.body, Body::Error(_)) {
                    return Ok(());
                }
                let error = ErrorBody::new(
                    code::AGENT_UNREACHABLE,
                    format!("{} is not registered with this signaling server", message.to),
                );
                self.answer(&ServerFrame::Error { to: Some(from), session_id: session, room: None, error })
            }
        }
    }

    fn answer(&self, frame: &ServerFrame) -> Result<(), TooSlow> {
        self.handle.push(Outgoing::Text(frame.to_json().into()))
    }

    fn refuse(
        &self,
        to: Option<AgentUri>,
        session_id: Option<String>,
        error: ErrorBody,
    ) -> Result<(), TooSlow> {
        count(&self.shared.counters.refused);
        self.answer(&ServerFrame::Error { to, session_id, room: None, error })
    }

    fn refuse_room(&self, agent: AgentUri, room: RoomName, error: ErrorBody) -> Result<(), TooSlow> {
        count(&self.shared.counters.refused);
        self.answer(&ServerFrame::Error { to: Some(agent), session_id: None, room: Some(room), error })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.release_all();
        self.shared.counters.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether the connection sends anything, at least its answer to a ping, in time.
async fn answers(owner: &Handle, patience: Duration) -> bool {
    let heard = owner.heard.notified();
    tokio::pin!(heard);
    // From here on a frame counts, even one that arrives before the first poll.
    heard.as_mut().enable();
    owner.push(Outgoing::Ping).is_ok() && timeout(patience, heard).await.is_ok()
}

fn tell_displaced(old: &Handle, agent: &AgentUri) {
    let text = format!("{agent} was taken over by another connection");
    let error = ErrorBody::new(code::UNAUTHORIZED, text);
    let frame = ServerFrame::Error { to: Some(agent.clone()), session_id: None, room: None, error };
    // If it does not read, it is being disconnected: that tells it, too.
    let _ = old.push(Outgoing::Text(frame.to_json().into()));
    if old.registrations.load(Ordering::Relaxed) == 0 {
        old.close(REPLACED);
    }
}

/// Pings a silent client and ends the connection of one that stays silent or never registers.
pub(super) async fn watchdog(config: &ServerConfig, handle: &Handle) -> Close {
    sleep(config.handshake_timeout).await;
    if handle.registrations.load(Ordering::Relaxed) == 0 {
        return NOT_REGISTERED;
    }
    // The first ping since the client was last heard.
    let mut pinged: Option<Instant> = None;
    loop {
        let (now, heard) = (Instant::now(), handle.last_heard());
        if now < heard + config.ping_interval {
            sleep_until(heard + config.ping_interval).await;
            continue;
        }
        let first_ping = *pinged.insert(pinged.filter(|at| *at > heard).unwrap_or(now));
        // Silence alone says nothing: a server that was held up itself has not listened. A ping without an answer does.
        let answer_time = config.idle_timeout.saturating_sub(config.ping_interval);
        let end = (heard + config.idle_timeout).max(first_ping + answer_time);
        if now >= end {
            return IDLE;
        }
        if handle.push(Outgoing::Ping).is_err() {
            return handle.killed().await;
        }
        // Between the ping and the end there may be several ping intervals: ping again.
        sleep_until(end.min(now + config.ping_interval.max(Duration::from_millis(1)))).await;
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
