//! One connection of a client, from the TCP handshake to its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::address::Address;
use super::config::ClientConfig;
use super::dial::Dialer;
use super::end::End;
use super::event::ClientEvent;
use super::state::State;
use super::transport::{Connection, Incoming, Job, Receiver};
use super::writer::Writer;
use crate::control::{ClientFrame, FEATURE_ROOMS, ServerFrame};
use crate::message::{Body, SignalingMessage};

/// A server has this long to answer our goodbye.
pub(super) const GOODBYE: Duration = Duration::from_secs(1);

/// A server has this long to show that it is still there when the network has changed.
const PROOF: Duration = Duration::from_secs(2);

/// Why a session is over.
pub(super) enum Outcome {
    /// The application closed the client.
    Closed,
    /// The connection has ended.
    Ended(End),
    /// The first server is back: this is a connection to it.
    Moved(Box<Connection>),
}

pub(super) struct Session<'a> {
    pub(super) state: &'a mut State,
    pub(super) dialer: Arc<Dialer>,
    pub(super) address: Arc<Address>,
    /// Where to go back to as soon as it is there again.
    pub(super) preferred: Option<Arc<Address>>,
    /// Whether the agent was registered on this connection.
    pub(super) registered: bool,
}

/// A connection on which the agent is registered.
struct Connected {
    writer: Writer,
    receiver: Receiver,
    /// What the server can do.
    features: Vec<String>,
}

impl Session<'_> {
    /// From the first packet to the end of the connection, or from the registration on if it is `ready`.
    pub(super) async fn run(
        &mut self,
        ready: Option<Connection>,
        mut closing: watch::Receiver<bool>,
    ) -> Outcome {
        let config = self.state.config.clone();
        let deadline = Instant::now() + config.connect_timeout;
        let connecting = self.connect(ready, deadline);
        let Connected { mut writer, mut receiver, features } = tokio::select! {
            connected = connecting => match connected {
                Ok(connected) => connected,
                Err(end) => return Outcome::Ended(end),
            },
            _ = closing.wait_for(|closing| *closing) => return Outcome::Closed,
        };
        self.registered = true;
        self.state.emit(ClientEvent::Registered { url: self.address.text.clone() }).await;
        let supported = features.iter().any(|feature| feature == FEATURE_ROOMS);
        self.state.rooms.connected(supported);
        for event in self.state.rooms.unsupported() {
            self.state.emit(ClientEvent::Room(event)).await;
        }
        let (dialer, preferred) = (self.dialer.clone(), self.preferred.clone());
        let outcome = tokio::select! {
            outcome = self.serve(&mut writer, &mut receiver) => outcome,
            connection = fail_back(&config, &dialer, preferred.as_ref()) => Outcome::Moved(Box::new(connection)),
            _ = closing.wait_for(|closing| *closing) => Outcome::Closed,
        };
        if !matches!(outcome, Outcome::Ended(_)) {
            goodbye(writer, receiver).await;
        }
        outcome
    }

    async fn connect(&mut self, ready: Option<Connection>, deadline: Instant) -> Result<Connected, End> {
        let config = self.state.config.clone();
        let too_late = |what: &str| End::lost(format!("{what} did not succeed in time"));
        let connection = match ready {
            Some(connection) => connection,
            None => timeout_at(deadline, Connection::open(&config, &self.dialer, &self.address))
                .await
                .unwrap_or_else(|_| Err(too_late("connecting")))?,
        };
        let Connection { sender, mut receiver } = connection;
        let mut writer = Writer::new(sender, config.write_timeout);
        let features = timeout_at(deadline, self.register(&mut writer, &mut receiver))
            .await
            .unwrap_or_else(|_| Err(too_late("registering")))?;
        Ok(Connected { writer, receiver, features })
    }

    async fn serve(&mut self, writer: &mut Writer, receiver: &mut Receiver) -> Outcome {
        let config = self.state.config.clone();
        let mut rejoin = self.state.rooms.rejoin(&config.agent);
        let mut last_heard = Instant::now();
        let mut last_ping = last_heard;
        // When the server must have been heard of, once the network has changed.
        let mut proof: Option<Instant> = None;
        let hurry = self.state.hurry.clone();
        // Whether the write under way is of messages from the outbox.
        let mut messages = false;
        loop {
            if writer.is_idle() && !rejoin.is_empty() {
                writer.start(Job::Frames(texts(std::mem::take(&mut rejoin))));
            }
            let idle = writer.is_idle();
            let ping_at = last_heard.max(last_ping) + config.ping_interval;
            let State { outbox, rooms, events, .. } = &mut *self.state;
            let done = tokio::select! {
                incoming = receiver.next() => {
                    last_heard = Instant::now();
                    proof = None;
                    match incoming {
                        Ok(Incoming::Text(text)) => {
                            self.deliver(&text).await;
                            Ok(())
                        }
                        Ok(Incoming::Alive) => Ok(()),
                        Ok(Incoming::Ping) => {
                            // Whatever is being sent is an answer as well.
                            if idle {
                                writer.start(Job::Ping);
                            }
                            Ok(())
                        }
                        Err(end) => Err(end),
                    }
                }
                written = writer.done() => {
                    if written.is_ok() && std::mem::take(&mut messages) {
                        self.state.outbox.written();
                    }
                    written
                }
                frames = outbox.next(events), if idle => match frames {
                    Some(frames) => {
                        messages = true;
                        writer.start(Job::Frames(frames));
                        Ok(())
                    }
                    None => return Outcome::Closed,
                },
                next = rooms.next(&config.agent), if idle => {
                    match next {
                        Ok(frames) => writer.start(Job::Frames(texts(frames))),
                        Err(event) => self.state.emit(ClientEvent::Room(event)).await,
                    }
                    Ok(())
                }
                () = sleep_until(last_heard + config.idle_timeout) => {
                    let seconds = config.idle_timeout.as_secs();
                    Err(End::lost(format!("nothing heard from the server for {seconds} s")))
                }
                () = hurry.notified() => {
                    proof = Some(Instant::now() + PROOF);
                    if idle {
                        last_ping = Instant::now();
                        writer.start(Job::Ping);
                    }
                    Ok(())
                }
                () = sleep_until(proof.unwrap_or(last_heard)), if proof.is_some() => {
                    let seconds = PROOF.as_secs();
                    Err(End::lost(format!("nothing heard from the server for {seconds} s after the network had changed")))
                }
                () = sleep_until(ping_at), if idle => {
                    last_ping = Instant::now();
                    writer.start(Job::Ping);
                    Ok(())
                }
            };
            if let Err(end) = done {
                return Outcome::Ended(end);
            }
        }
    }

    async fn deliver(&mut self, text: &str) {
        let own = self.state.config.agent.clone();
        let frame = match ServerFrame::parse(text).map(|frame| self.state.rooms.received(frame)) {
            Some(Ok(event)) => {
                self.state.emit(ClientEvent::Room(event)).await;
                return;
            }
            Some(Err(other)) => Some(other),
            None => None,
        };
        let message = match frame {
            Some(ServerFrame::IceServers { agent_id, ice_servers, ttl }) if agent_id == own => {
                self.ice_servers(ice_servers, ttl).await;
                return;
            }
            Some(ServerFrame::Error { to, session_id, error, .. }) => {
                let to = to.unwrap_or(own);
                SignalingMessage { from: None, to, session_id, body: Body::Error(error), auth: None }
            }
            Some(_) => return,
            None => match SignalingMessage::parse(text) {
                Ok(message) if message.to == own => message,
                // Our server checks what it relays. Another implementation may not, and one peer's mistake is no
                // reason to drop the connection to all others.
                Ok(message) => {
                    tracing::warn!(to = %message.to, "signaling message for somebody else ignored");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "invalid signaling message ignored");
                    return;
                }
            },
        };
        self.state.emit(ClientEvent::Message(message)).await;
    }
}

pub(super) fn texts(frames: Vec<ClientFrame>) -> Vec<Utf8Bytes> {
    frames.iter().map(|frame| frame.to_json().into()).collect()
}

/// Waits until the preferred server can be reached again.
async fn fail_back(
    config: &Arc<ClientConfig>,
    dialer: &Arc<Dialer>,
    preferred: Option<&Arc<Address>>,
) -> Connection {
    let (Some(address), Some(period)) = (preferred, config.fail_back) else {
        return std::future::pending().await;
    };
    loop {
        sleep(period).await;
        let opened = timeout(config.connect_timeout, Connection::open(config, dialer, address)).await;
        if let Ok(Ok(connection)) = opened {
            return connection;
        }
    }
}

async fn goodbye(mut writer: Writer, mut receiver: Receiver) {
    let said = async {
        writer.write(Job::Close).await?;
        receiver.finish().await
    };
    // Nothing more can be done for a server that does not take it.
    let _: Result<Result<(), End>, _> = timeout(GOODBYE, said).await;
}
