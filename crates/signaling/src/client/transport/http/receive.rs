//! Receiving by requests that stay open.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::events::{EventParser, ServerSentEvent};
use super::requests::Requests;
use crate::client::end::End;
use crate::client::transport::job::Incoming;

/// A stream of events that shows nothing for so long is held back by something on the way, as some proxies and virus scanners do
/// with responses that have no end. Our servers say something at once.
const STREAM_PATIENCE: Duration = Duration::from_secs(3);

/// Streams, and polls that bring nothing, begin no faster than this, whatever ends them.
const INTERVAL: Duration = Duration::from_secs(1);

/// Seconds that a request may stay open when there is nothing to receive.
const WAIT: u64 = 25;

/// Beyond its waiting a request has this long for its way.
const POLL_SLACK: Duration = Duration::from_secs(10);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Bytes of an event besides the frame in it.
const EVENT_OVERHEAD: usize = 4096;

type Incomings = mpsc::Sender<Result<Incoming, End>>;

/// The end of a session, as the server tells it.
#[derive(Deserialize)]
struct Closed {
    code: u16,
    reason: String,
}

/// Receives until the session ends.
pub(super) async fn run(requests: Requests, incoming: Incomings) {
    let mut receiving = Receiving { requests, incoming: incoming.clone(), last: 0 };
    let end = receiving.until_end().await;
    // An error means that nobody wants to know.
    let _ = incoming.send(Err(end)).await;
}

struct Receiving {
    requests: Requests,
    incoming: Incomings,
    /// Number of the last frame received.
    last: u64,
}

impl Receiving {
    async fn until_end(&mut self) -> End {
        loop {
            let polls = self.requests.address.streams_blocked.load(Ordering::Relaxed);
            let outcome = if polls { self.poll().await } else { self.stream().await };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    /// One stream of events, until something on the way ends it.
    async fn stream(&mut self) -> Result<(), End> {
        let started = Instant::now();
        let mut headers = vec![(ACCEPT, HeaderValue::from_static("text/event-stream"))];
        if self.last > 0 {
            headers.push((LAST_EVENT_ID, HeaderValue::from(self.last)));
        }
        let mut parser = EventParser::new(self.requests.config.max_message_size + EVENT_OVERHEAD);
        let first = async {
            let request = self.requests.send(Method::GET, "/v1/frames", &headers, Bytes::new());
            let mut answer = request.await?;
            if answer.status != StatusCode::OK {
                return Err(answer.expect(StatusCode::OK).await.err().unwrap_or_else(not_a_stream));
            }
            let first = answer.body.frame().await;
            Ok((first, answer.body))
        };
        let (mut next, mut body) = match timeout(STREAM_PATIENCE, first).await {
            Ok(begun) => begun?,
            Err(_) => {
                self.requests.address.streams_blocked.store(true, Ordering::Relaxed);
                return Ok(());
            }
        };
        // Its end, in whatever way, is no loss: the next stream goes on where it was.
        while let Some(Ok(piece)) = next {
            if let Some(bytes) = piece.data_ref() {
                let too_long = |_| End::lost("the server has sent more than a frame may have");
                let events = parser.push(bytes).map_err(too_long)?;
                if events.is_empty() {
                    self.tell(Incoming::Alive).await?;
                }
                for event in events {
                    self.event(event).await?;
                }
            }
            next = body.frame().await;
        }
        sleep_until(started + INTERVAL).await;
        Ok(())
    }

    async fn event(&mut self, event: ServerSentEvent) -> Result<(), End> {
        match event.kind.as_str() {
            "message" => {
                if let Ok(id) = event.id.parse() {
                    self.last = id;
                }
                self.tell(Incoming::Text(event.data.into())).await
            }
            "ping" => self.tell(Incoming::Ping).await,
            "close" => {
                let closed: Option<Closed> = serde_json::from_str(&event.data).ok();
                Err(End::closed_by_server(
                    closed.as_ref().map(|closed| (closed.code, closed.reason.as_str())),
                ))
            }
            // Of a later version of the protocol.
            _ => self.tell(Incoming::Alive).await,
        }
    }

    /// One request that is answered when there is something.
    async fn poll(&mut self) -> Result<(), End> {
        #[derive(Deserialize)]
        struct Polled {
            frames: Vec<Box<RawValue>>,
            last: u64,
            #[serde(default)]
            closed: Option<Closed>,
        }
        let started = Instant::now();
        let path = format!("/v1/frames?after={}&wait={WAIT}", self.last);
        let headers = [(ACCEPT, HeaderValue::from_static("application/json"))];
        let request = async {
            let answer = self.requests.send(Method::GET, &path, &headers, Bytes::new()).await?;
            answer.expect(StatusCode::OK).await
        };
        let body = timeout(Duration::from_secs(WAIT) + POLL_SLACK, request)
            .await
            .unwrap_or_else(|_| Err(End::lost("the server does not answer")))?;
        let polled: Polled = serde_json::from_slice(&body)
            .map_err(|error| End::lost(format!("the server does not answer with frames: {error}")))?;
        self.tell(Incoming::Alive).await?;
        self.last = polled.last;
        let nothing = polled.frames.is_empty();
        for frame in polled.frames {
            if frame.get().len() > self.requests.config.max_message_size {
                return Err(End::lost("the server has sent more than a frame may have"));
            }
            self.tell(Incoming::Text(frame.get().into())).await?;
        }
        match polled.closed {
            Some(closed) => Err(End::closed_by_server(Some((closed.code, closed.reason.as_str())))),
            None => {
                if nothing {
                    // At once only if the server does not know how to wait.
                    sleep_until(started + INTERVAL).await;
                }
                Ok(())
            }
        }
    }

    async fn tell(&self, incoming: Incoming) -> Result<(), End> {
        self.incoming.send(Ok(incoming)).await.map_err(|_| End::lost("nobody receives any more"))
    }
}

fn not_a_stream() -> End {
    End::lost("the server does not answer with events")
}
