//! Frames over plain HTTP requests, for networks that let no WebSocket through.

mod events;
mod receive;
mod requests;

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::job::{Incoming, Job};
use crate::client::address::Address;
use crate::client::config::ClientConfig;
use crate::client::dial::{Aborted, Dialer};
use crate::client::end::End;
pub(crate) use events::EventParser;
use requests::{Answer, Requests};

/// What has been received and not been looked at. More stays on the network.
const UNREAD: usize = 16;

/// Time for the request that ends a session which nobody waits for any more.
const GOODBYE: Duration = Duration::from_secs(1);

/// Sends by `POST`.
pub(in crate::client) struct Sender {
    /// Taken when the session has been ended.
    requests: Option<Requests>,
}

/// Receives in a task of its own: its requests must not begin anew whenever something else happens.
pub(in crate::client) struct Receiver {
    incoming: mpsc::Receiver<Result<Incoming, End>>,
    _task: Aborted,
}

/// Starts a session.
pub(super) async fn open(
    config: &Arc<ClientConfig>,
    dialer: &Arc<Dialer>,
    address: &Arc<Address>,
) -> Result<(Sender, Receiver), End> {
    #[derive(Deserialize)]
    struct Started {
        session: String,
    }
    let mut requests = Requests::new(config.clone(), dialer.clone(), address.clone(), None);
    let answer = requests.send(Method::POST, "/v1/sessions", &[], Bytes::new()).await?;
    let body = answer.expect(StatusCode::CREATED).await?;
    let started: Started = serde_json::from_slice(&body).map_err(|_| not_ours(&address.shown()))?;
    let mut session = HeaderValue::from_str(&started.session).map_err(|_| not_ours(&address.shown()))?;
    session.set_sensitive(true);
    let receiving = Requests::new(config.clone(), dialer.clone(), address.clone(), Some(session.clone()));
    requests.enter(session);
    let (sender, incoming) = mpsc::channel(UNREAD);
    let task = Aborted::spawn(receive::run(receiving, sender));
    Ok((Sender { requests: Some(requests) }, Receiver { incoming, _task: task }))
}

fn not_ours(url: &str) -> End {
    End::lost(format!("{url} does not answer like a signaling server"))
}

impl Sender {
    pub(super) async fn perform(&mut self, job: Job) -> Result<(), End> {
        match job {
            Job::Frames(frames) => self.post(body_of(&frames)).await,
            // Any request is a sign of life, and asks for one.
            Job::Ping => self.post(Bytes::from_static(b"[]")).await,
            Job::Close => match self.requests.take() {
                Some(requests) => end(requests).await,
                None => Ok(()),
            },
        }
    }

    async fn post(&mut self, body: Bytes) -> Result<(), End> {
        let Some(requests) = &mut self.requests else {
            return Err(End::lost("the session has ended"));
        };
        let answer: Answer = requests.send(Method::POST, "/v1/frames", &[], body).await?;
        answer.expect(StatusCode::ACCEPTED).await?;
        Ok(())
    }
}

async fn end(mut requests: Requests) -> Result<(), End> {
    requests.send(Method::DELETE, "/v1/sessions", &[], Bytes::new()).await?;
    Ok(())
}

/// There is no connection whose end would tell the server that the client has gone elsewhere.
impl Drop for Sender {
    fn drop(&mut self) {
        if let (Some(requests), Ok(runtime)) = (self.requests.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(timeout(GOODBYE, end(requests)));
        }
    }
}

/// One frame as it is, several as an array.
fn body_of(frames: &[Utf8Bytes]) -> Bytes {
    match frames {
        [only] => only.clone().into(),
        several => {
            let texts: Vec<&str> = several.iter().map(Utf8Bytes::as_str).collect();
            format!("[{}]", texts.join(",")).into()
        }
    }
}

impl Receiver {
    pub(super) async fn next(&mut self) -> Result<Incoming, End> {
        self.incoming.recv().await.unwrap_or_else(|| Err(End::lost("receiving has ended")))
    }
}
