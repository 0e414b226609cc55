//! One connection of a client, from the TCP handshake to its end.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, error::ProtocolError};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use super::{Challenge, ClientEvent, Driver, Proof, Prover};
use crate::{
    Body, ClientFrame, ErrorBody, FEATURE_ROOMS, IceServer, SUBPROTOCOL, ServerFrame, SignalingMessage,
    close_code, code,
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A server has this long to answer our goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// The application closed the client.
    Closed,
    /// The server refuses this agent: trying again would not help.
    Refused(ErrorBody),
    /// Anything that may be different next time.
    Lost(String),
}

impl From<WsError> for End {
    fn from(error: WsError) -> Self {
        Self::Lost(match error {
            // What a server says that does not want us; its text is short.
            WsError::Http(response) => {
                let body = response.body().as_deref().unwrap_or_default();
                format!(
                    "HTTP {}: {}",
                    response.status(),
                    String::from_utf8_lossy(&body[..body.len().min(200)]).trim()
                )
            }
            WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) | WsError::ConnectionClosed => {
                "the server closed the connection".to_owned()
            }
            other => other.to_string(),
        })
    }
}

pub(super) struct Session<'a> {
    pub(super) driver: &'a mut Driver,
    /// Whether the agent was registered on this connection.
    pub(super) registered: bool,
}

impl Session<'_> {
    pub(super) async fn run(&mut self, tls: Option<Connector>, mut closing: watch::Receiver<bool>) -> End {
        let deadline = Instant::now() + self.driver.config.connect_timeout;
        let too_late = |what: &str| End::Lost(format!("{what} did not succeed in time"));
        let mut socket = match timeout_at(deadline, self.connect(tls)).await {
            Ok(Ok(socket)) => socket,
            Ok(Err(end)) => return end,
            Err(_) => return too_late("connecting"),
        };
        let features = match timeout_at(deadline, self.register(&mut socket)).await {
            Ok(Ok(features)) => features,
            Ok(Err(end)) => return end,
            Err(_) => return too_late("registering"),
        };
        self.registered = true;
        self.driver.emit(ClientEvent::Registered).await;
        let supported = features.iter().any(|feature| feature == FEATURE_ROOMS);
        self.driver.rooms.connected(supported);
        for event in self.driver.rooms.unsupported() {
            self.driver.emit(ClientEvent::Room(event)).await;
        }
        if let Err(end) = send_all(&mut socket, self.driver.rooms.rejoin(&self.driver.config.agent)).await {
            return end;
        }
        let end = tokio::select! {
            end = self.serve(&mut socket) => end,
            _ = closing.wait_for(|closing| *closing) => End::Closed,
        };
        if matches!(end, End::Closed) {
            goodbye(&mut socket).await;
        }
        end
    }

    async fn connect(&self, tls: Option<Connector>) -> Result<Socket, End> {
        let config = &self.driver.config;
        let mut request = config.url.as_str().into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        let limits = WebSocketConfig::default()
            .max_message_size(Some(config.max_message_size))
            .max_frame_size(Some(config.max_message_size))
            .read_buffer_size(4096)
            .write_buffer_size(4096);
        let (socket, _) = connect_async_tls_with_config(request, Some(limits), true, tls).await?;
        Ok(socket)
    }

    /// Returns what the server can do.
    async fn register(&mut self, socket: &mut Socket) -> Result<Vec<String>, End> {
        let agent = self.driver.config.agent.clone();
        let prover = self.driver.config.prover.clone();
        let token = match &prover {
            Some(prover) => prover.token().await.map_err(End::Lost)?,
            None => None,
        };
        let resume = self.driver.resume.clone();
        let frame = ClientFrame::Register { agent: agent.clone(), resume, token };
        socket.send(Message::Text(frame.to_json().into())).await?;
        loop {
            let Message::Text(text) = read(socket).await? else { continue };
            match ServerFrame::parse(&text) {
                Some(ServerFrame::Registered {
                    agent_id,
                    resume,
                    features,
                    ice_servers,
                    ice_servers_ttl,
                    ..
                }) if agent_id == agent => {
                    self.driver.resume = Some(resume);
                    self.ice_servers(ice_servers, ice_servers_ttl.unwrap_or(0)).await;
                    return Ok(features);
                }
                Some(ServerFrame::Challenge { agent_id, nonce, .. }) if agent_id == agent => {
                    let frame = self.prove(prover.as_deref(), &nonce).await?;
                    socket.send(Message::Text(frame.to_json().into())).await?;
                }
                // What may be different later; any other refusal stays.
                Some(ServerFrame::Error { error, .. })
                    if matches!(error.code.as_str(), code::RATE_LIMIT_EXCEEDED | code::INTERNAL_ERROR) =>
                {
                    return Err(End::Lost(error.message));
                }
                Some(ServerFrame::Error { error, .. }) => return Err(End::Refused(error)),
                _ => {}
            }
        }
    }

    /// The answer to a challenge.
    async fn prove(&self, prover: Option<&dyn Prover>, nonce: &str) -> Result<ClientFrame, End> {
        let config = &self.driver.config;
        let audience = config.audience();
        let challenge = Challenge { agent: &config.agent, nonce, audience: &audience };
        let proof = match prover {
            Some(prover) => prover.prove(challenge).await.map_err(End::Lost)?,
            None => None,
        };
        let Some(Proof { proof, public_key }) = proof else {
            let text =
                format!("{} wants proof of the key of {}, and none is configured", config.url, config.agent);
            return Err(End::Refused(ErrorBody::new(code::UNAUTHORIZED, text)));
        };
        Ok(ClientFrame::Prove { agent: config.agent.clone(), proof, public_key: Some(public_key) })
    }

    /// Passes servers on; that there are none is worth saying only if there were some before.
    async fn ice_servers(&mut self, servers: Vec<IceServer>, ttl: u64) {
        if servers.is_empty() && !self.driver.had_ice_servers {
            return;
        }
        self.driver.had_ice_servers = !servers.is_empty();
        let ttl = Duration::from_secs(ttl);
        self.driver.emit(ClientEvent::IceServers { servers, ttl }).await;
    }

    async fn serve(&mut self, socket: &mut Socket) -> End {
        let (ping_interval, idle_timeout) =
            (self.driver.config.ping_interval, self.driver.config.idle_timeout);
        let mut last_heard = Instant::now();
        let mut last_ping = last_heard;
        loop {
            let ping_at = last_heard.max(last_ping) + ping_interval;
            let Driver { outbox, rooms, config, events, .. } = &mut *self.driver;
            let outcome = tokio::select! {
                frame = read(socket) => {
                    last_heard = Instant::now();
                    match frame {
                        Ok(Message::Text(text)) => self.deliver(&text).await,
                        Ok(_) => Ok(()),
                        Err(end) => Err(end),
                    }
                }
                queued = outbox.next(events) => match queued {
                    // Kept until written: it is sent again on the next connection if this one fails now.
                    Some(queued) => {
                        let text = queued.text.clone();
                        self.driver.outbox.held = Some(queued);
                        let written = socket.send(Message::Text(text.into())).await.map_err(End::from);
                        if written.is_ok() {
                            self.driver.outbox.held = None;
                        }
                        written
                    }
                    None => return End::Closed,
                },
                next = rooms.next(&config.agent) => match next {
                    Ok(frames) => send_all(socket, frames).await,
                    Err(event) => {
                        self.driver.emit(ClientEvent::Room(event)).await;
                        Ok(())
                    }
                },
                () = sleep_until(last_heard + idle_timeout) => {
                    Err(End::Lost(format!("nothing heard from the server for {} s", idle_timeout.as_secs())))
                }
                () = sleep_until(ping_at) => {
                    last_ping = Instant::now();
                    socket.send(Message::Ping(Default::default())).await.map_err(End::from)
                }
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    async fn deliver(&mut self, text: &str) -> Result<(), End> {
        let own = self.driver.config.agent.clone();
        let frame = match ServerFrame::parse(text).map(|frame| self.driver.rooms.received(frame)) {
            Some(Ok(event)) => {
                self.driver.emit(ClientEvent::Room(event)).await;
                return Ok(());
            }
            Some(Err(other)) => Some(other),
            None => None,
        };
        let message = match frame {
            Some(ServerFrame::IceServers { agent_id, ice_servers, ttl }) if agent_id == own => {
                self.ice_servers(ice_servers, ttl).await;
                return Ok(());
            }
            Some(ServerFrame::Error { to, session_id, error, .. }) => {
                let to = to.unwrap_or(own);
                SignalingMessage { from: None, to, session_id, body: Body::Error(error), auth: None }
            }
            Some(_) => return Ok(()),
            None => match SignalingMessage::parse(text) {
                Ok(message) if message.to == own => message,
                // Our server checks what it relays. Another implementation may not, and one peer's mistake is no
                // reason to drop the connection to all others.
                Ok(message) => {
                    tracing::warn!(to = %message.to, "signaling message for somebody else ignored");
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!(%error, "invalid signaling message ignored");
                    return Ok(());
                }
            },
        };
        self.driver.emit(ClientEvent::Message(message)).await;
        Ok(())
    }
}

async fn send_all(socket: &mut Socket, frames: Vec<ClientFrame>) -> Result<(), End> {
    for frame in frames {
        socket.send(Message::Text(frame.to_json().into())).await?;
    }
    Ok(())
}

/// The next frame; the end of the connection is an error. Cancel safe.
async fn read(socket: &mut Socket) -> Result<Message, End> {
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) if u16::from(frame.code) == close_code::REPLACED => {
            Err(End::Refused(ErrorBody::new(code::UNAUTHORIZED, frame.reason.to_string())))
        }
        Some(Ok(Message::Close(frame))) => {
            let reason = frame.map(|frame| format!(" ({} {})", frame.code, frame.reason)).unwrap_or_default();
            Err(End::Lost(format!("the server closed the connection{reason}")))
        }
        Some(Ok(frame)) => Ok(frame),
        Some(Err(error)) => Err(error.into()),
        None => Err(End::Lost("the server closed the connection".to_owned())),
    }
}

async fn goodbye(socket: &mut Socket) {
    let _ = timeout(GOODBYE, async {
        socket.close(None).await?;
        while socket.next().await.is_some_and(|frame| frame.is_ok()) {}
        Ok::<(), WsError>(())
    })
    .await;
}
