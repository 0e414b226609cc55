//! A connected client, whatever carries its frames: its registrations, its messages, its end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::address::{Place, place_of};
use super::attempts::Registrations;
use super::event::ServerEvent;
use super::limits::{ClientLimits, Flooders, Verdict};
use super::outbox::Outbox;
use super::registry::{
    Asked, Close, Departure, Handle, Leaving, Letter, NotJoined, Outgoing, Route, TooSlow,
};
use super::stats::count;
use super::visit::Arrival;
use super::{GOING_AWAY, ServerConfig, Shared};
use crate::control::{AuthMode, ClientFrame, ServerFrame};
use crate::error::{ErrorBody, close_code, code};
use crate::message::{Body, SignalingMessage};
use crate::room::RoomName;
use crate::uri::AgentUri;

const IDLE: Close = Close { code: close_code::IDLE, reason: "nothing heard, not even pongs" };
const RATE_LIMITED: Close =
    Close { code: close_code::RATE_LIMITED, reason: "too many frames after being told to slow down" };
const NOT_REGISTERED: Close = Close { code: close_code::NOT_REGISTERED, reason: "no registration in time" };

/// What the server does with the frames of one client. What it has to say goes into the queue of its [`Handle`], which
/// the transport empties; the client is gone when this is dropped.
pub(super) struct Client {
    pub(super) shared: Arc<Shared>,
    pub(super) handle: Arc<Handle>,
    /// Every agent registered here, possibly taken over by another connection since.
    pub(super) agents: Vec<AgentUri>,
    pub(super) registrations: Registrations,
    pub(super) limits: ClientLimits,
    /// Why the server ended the connection, if it did.
    closed: Option<Close>,
    _place: Option<Place>,
}

impl Client {
    /// A client that has just connected, and the queue of what is to be written to it.
    pub(super) fn new(shared: Arc<Shared>, id: u64, arrival: Arrival) -> (Self, Arc<Outbox>) {
        count(&shared.counters.connections);
        count(&shared.counters.total_connections);
        let (address, transport) = (arrival.visitor.address, arrival.transport);
        shared.emit(|| ServerEvent::Connected { connection: id, address, transport });
        let mut limits = ClientLimits::new(shared.config.message_rate, shared.config.room_rate);
        if shared.flooders.wait(&place_of(address), Instant::now()).is_some() {
            limits.distrust();
        }
        let (handle, outbox) = Handle::new(id, shared.config.max_queue_bytes);
        if shared.config.relay.is_some()
            && let Some(name) = arrival.visitor.dialled()
        {
            handle.has_dialled(name);
        }
        let max_registrations = shared.config.max_registrations;
        let client = Self {
            shared,
            handle,
            agents: Vec::new(),
            registrations: Registrations::new(arrival.visitor, max_registrations),
            limits,
            closed: None,
            _place: arrival.place,
        };
        (client, outbox)
    }

    /// How the rest of the server sees this client.
    pub(super) fn handle(&self) -> &Arc<Handle> {
        &self.handle
    }

    /// Serves one text frame. An error means that the client does not even read the answers to its own frames.
    pub(super) async fn frame(&mut self, text: Utf8Bytes) -> Result<(), TooSlow> {
        let now = Instant::now();
        let verdict = self.limits.frame(self.shared.config.message_rate, now);
        if verdict != Verdict::Serve {
            return self.too_much(verdict, &text, "frames on this connection");
        }
        let frame = ClientFrame::parse(&text);
        if let Ok(ClientFrame::Join { .. } | ClientFrame::Leave { .. }) = &frame {
            let verdict = self.limits.room(self.shared.config.room_rate, now);
            if verdict != Verdict::Serve {
                return self.too_much(verdict, &text, "rooms entered and left on this connection");
            }
        }
        match frame {
            // Boxed where it is rare and large: the future of every idle connection has room for all it may become.
            Ok(ClientFrame::Register { agent, resume, token }) => {
                Box::pin(self.register(agent, resume, token)).await
            }
            Ok(ClientFrame::Prove { agent, proof, public_key }) => {
                Box::pin(self.prove(agent, &proof, public_key.as_deref())).await
            }
            Ok(ClientFrame::Unregister { agent }) => {
                self.release(&agent, Departure::Left);
                self.agents.retain(|registered| *registered != agent);
                self.answer(&ServerFrame::Unregistered { agent_id: agent })
            }
            Ok(ClientFrame::Join { agent, room }) => Box::pin(self.join(agent, room)).await,
            Ok(ClientFrame::Leave { agent, room }) => {
                match self.shared.registry.leave(&agent, &self.handle, &room) {
                    Ok(Leaving::Done) => self.answer(&ServerFrame::Left { agent_id: agent, room }),
                    Ok(Leaving::UnderWay) => Ok(()),
                    Err(error) => self.refuse_room(agent, room, error),
                }
            }
            Ok(ClientFrame::Message(message)) => Box::pin(self.relay(message, text)).await,
            Err(error) => self.refuse(None, None, ErrorBody::new(code::INVALID_MESSAGE, error.0)),
        }
    }

    /// Counts a frame that is no text, and serves it unless it is over the limit; then the client is told.
    pub(super) fn counted(
        &mut self,
        serve: impl FnOnce(&Self) -> Result<(), TooSlow>,
    ) -> Result<(), TooSlow> {
        match self.limits.frame(self.shared.config.message_rate, Instant::now()) {
            Verdict::Serve => serve(self),
            verdict => self.too_much(verdict, "", "frames on this connection"),
        }
    }

    /// Refuses a frame that is no text.
    pub(super) fn refuse_binary(&self) -> Result<(), TooSlow> {
        let text = "binary frames have no meaning here; send JSON as text";
        self.refuse(None, None, ErrorBody::new(code::PROTOCOL_ERROR, text))
    }

    /// Registers the agent that the URL of the connection names.
    pub(super) async fn greet(&mut self, agent: AgentUri) -> Result<(), TooSlow> {
        if self.shared.config.authenticator.mode() != AuthMode::Open {
            return self.register(agent, None, None).await;
        }
        // Not answered: a client that does not register by a frame does not know the answer either.
        match self.register_implicitly(&agent).await {
            Ok(()) => Ok(()),
            Err(error) => self.refuse(Some(agent), None, error),
        }
    }

    /// Gives all its names up, at once instead of when this is dropped. `closed`: why the server ends the connection, if it
    /// is the server that does.
    pub(super) fn leave(&mut self, closed: Option<Close>) {
        if closed.is_some_and(|close| close.code == close_code::SLOW_CONSUMER) {
            count(&self.shared.counters.slow_consumers);
        }
        self.closed = closed;
        self.release_all();
    }

    fn release_all(&mut self) {
        let sent_away = self.closed.is_some_and(|close| close.code == GOING_AWAY.code);
        let how = if sent_away { Departure::Moving } else { Departure::Lost };
        for agent in std::mem::take(&mut self.agents) {
            self.release(&agent, how);
        }
    }

    fn release(&self, agent: &AgentUri, how: Departure) {
        if self.shared.registry.release(agent, &self.handle, how) {
            let connection = self.handle.id;
            self.shared.emit(|| ServerEvent::Unregistered { connection, agent: agent.clone() });
            self.shared.config.authenticator.released(agent, Instant::now().into_std());
        }
    }

    async fn join(&mut self, agent: AgentUri, room: RoomName) -> Result<(), TooSlow> {
        // As for messages: a client that knows nothing of registration is registered by its first frame.
        if self.agents.is_empty()
            && let Err(error) = self.register_implicitly(&agent).await
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
            && let Err(error) = self.register_implicitly(&from).await
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
        if recipient.is_some()
            && let Some(what) = self.shared.over_its_limit(&message.envelope(&from), Instant::now())
        {
            let verdict = self.limits.refused(Instant::now());
            return self.too_much(verdict, &text, what);
        }
        let length = text.len() as u64;
        let letter = Letter {
            sender: self.handle.clone(),
            from,
            to: message.to,
            session_id: session,
            is_error: matches!(message.body, Body::Error(_)),
        };
        let undelivered = match recipient {
            Some(Route::Here(recipient)) => match recipient.push(Outgoing::Text(text)) {
                Ok(()) => {
                    count(&self.shared.counters.relayed);
                    self.shared.counters.relayed_bytes.fetch_add(length, Ordering::Relaxed);
                    return Ok(());
                }
                // Somebody who is being disconnected for not reading: the same for the sender as nobody.
                Err(TooSlow) => letter,
            },
            Some(Route::There(bus)) => {
                let to = letter.to.clone();
                match bus.relay(&to, &text, Asked::Letter(letter)) {
                    Err(Asked::Letter(letter)) => letter,
                    // Redis knows whether there is anybody, and tells the sender.
                    _ => return Ok(()),
                }
            }
            None => letter,
        };
        self.shared.unreachable(undelivered)
    }

    /// Refuses a frame that is over a limit, or ends the connection of a client that has been told so often enough.
    pub(super) fn too_much(&self, verdict: Verdict, text: &str, what: &str) -> Result<(), TooSlow> {
        count(&self.shared.counters.rate_limited);
        if verdict == Verdict::Disconnect {
            let (rate, now) = (self.shared.config.message_rate, Instant::now());
            let place = place_of(self.registrations.visitor.address);
            self.shared.flooders.add(&place, rate, now);
            let mut who = vec![place.to_string()];
            for agent in &self.agents {
                self.shared.flooders.add(agent.as_str(), rate, now);
                who.push(agent.as_str().to_owned());
            }
            // Nor on another server of the cluster.
            self.shared.registry.tell_of_flooders(&who, Flooders::penalty(rate));
            self.handle.close(RATE_LIMITED);
            return Err(TooSlow);
        }
        let (to, session) = match SignalingMessage::parse(text) {
            Ok(message) => (message.from, message.session_id),
            Err(_) => (None, None),
        };
        let error = format!("too many {what}; slow down, or the connection is closed");
        self.refuse(to, session, ErrorBody::new(code::RATE_LIMIT_EXCEEDED, error))
    }

    pub(super) fn answer(&self, frame: &ServerFrame) -> Result<(), TooSlow> {
        self.handle.push(Outgoing::Text(frame.to_json().into()))
    }

    pub(super) fn refuse(
        &self,
        to: Option<AgentUri>,
        session_id: Option<String>,
        error: ErrorBody,
    ) -> Result<(), TooSlow> {
        count(&self.shared.counters.refused);
        self.shared.emit(|| ServerEvent::Refused {
            connection: self.handle.id,
            code: error.code.clone(),
            agent: to.clone(),
        });
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
        self.shared.left.notify_waiters();
        let closed = self.closed.map(|close| (close.code, close.reason));
        self.shared.emit(|| ServerEvent::Disconnected { connection: self.handle.id, closed });
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
