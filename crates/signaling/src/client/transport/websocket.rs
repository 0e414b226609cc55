//! Frames over a WebSocket.

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, error::ProtocolError};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::job::{Incoming, Job};
use crate::client::address::Address;
use crate::client::config::ClientConfig;
use crate::client::dial::{Dialer, Stream};
use crate::client::end::End;
use crate::control::SUBPROTOCOL;

pub(in crate::client) struct Sender(SplitSink<WebSocketStream<Stream>, Message>);

pub(in crate::client) struct Receiver(SplitStream<WebSocketStream<Stream>>);

impl From<WsError> for End {
    fn from(error: WsError) -> Self {
        match error {
            // What a server says that does not want us; its text is short.
            WsError::Http(response) => {
                let body = response.body().as_deref().unwrap_or_default();
                Self::refused_by_http(response.status(), body)
            }
            WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) | WsError::ConnectionClosed => {
                Self::closed_by_server(None)
            }
            other => Self::lost(other.to_string()),
        }
    }
}

pub(super) async fn open(
    config: &ClientConfig,
    dialer: &Dialer,
    address: &Address,
) -> Result<(Sender, Receiver), End> {
    let dialed = dialer.open(address).await.map_err(End::lost)?;
    let mut request = address.text.as_str().into_client_request()?;
    request.headers_mut().extend(config.headers.clone());
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    let limits = WebSocketConfig::default()
        .max_message_size(Some(config.max_message_size))
        .max_frame_size(Some(config.max_message_size))
        .read_buffer_size(4096)
        .write_buffer_size(4096);
    let (socket, _) = client_async_with_config(request, dialed.stream, Some(limits)).await?;
    let (sink, stream) = socket.split();
    Ok((Sender(sink), Receiver(stream)))
}

impl Sender {
    pub(super) async fn perform(&mut self, job: Job) -> Result<(), End> {
        match job {
            Job::Frames(frames) => {
                for frame in frames {
                    self.0.feed(Message::Text(frame)).await?;
                }
                self.0.flush().await?;
            }
            Job::Ping => self.0.send(Message::Ping(Default::default())).await?,
            Job::Close => self.0.send(Message::Close(None)).await?,
        }
        Ok(())
    }
}

impl Receiver {
    pub(super) async fn next(&mut self) -> Result<Incoming, End> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Ok(Incoming::Text(text)),
            Some(Ok(Message::Close(frame))) => {
                let reason = frame.as_ref().map(|frame| (u16::from(frame.code), frame.reason.as_str()));
                Err(End::closed_by_server(reason))
            }
            Some(Ok(_)) => Ok(Incoming::Alive),
            Some(Err(error)) => Err(error.into()),
            None => Err(End::closed_by_server(None)),
        }
    }
}
