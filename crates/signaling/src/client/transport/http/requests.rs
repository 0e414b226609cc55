//! Requests to one server, one after the other, over a connection that is kept.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use crate::client::address::Address;
use crate::client::config::ClientConfig;
use crate::client::dial::{Aborted, Dialer, Forward};
use crate::client::end::End;

/// A connection that nobody has used for so long is left: servers and proxies close them after 5 s and more, and a request
/// that meets such an end may or may not have been served.
const REUSE: Duration = Duration::from_secs(4);

/// The longest explanation of an error that is read.
const MAX_EXPLANATION: usize = 4096;

struct Open {
    sender: SendRequest<Full<Bytes>>,
    forward: Option<Forward>,
    last_used: Instant,
    /// Moves the bytes.
    _driver: Aborted,
}

pub(super) struct Requests {
    pub(super) config: Arc<ClientConfig>,
    pub(super) address: Arc<Address>,
    dialer: Arc<Dialer>,
    session: Option<HeaderValue>,
    open: Option<Open>,
}

/// The response to a request.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Incoming,
    limit: usize,
}

impl Answer {
    /// The body, if the status is as it should be.
    pub(super) async fn expect(self, wanted: StatusCode) -> Result<Bytes, End> {
        if self.status == wanted {
            let body = Limited::new(self.body, self.limit).collect().await;
            return Ok(body
                .map_err(|error| End::lost(format!("the response is not usable: {error}")))?
                .to_bytes());
        }
        let explanation = Limited::new(self.body, MAX_EXPLANATION).collect().await;
        let explanation = explanation.map(|body| body.to_bytes()).unwrap_or_default();
        Err(End::refused_by_http(self.status, &explanation))
    }
}

impl Requests {
    pub(super) fn new(
        config: Arc<ClientConfig>,
        dialer: Arc<Dialer>,
        address: Arc<Address>,
        session: Option<HeaderValue>,
    ) -> Self {
        Self { config, address, dialer, session, open: None }
    }

    /// From now on requests belong to a session.
    pub(super) fn enter(&mut self, session: HeaderValue) {
        self.session = Some(session);
    }

    /// Sends a request for `path` below the URL of the server.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Answer, End> {
        loop {
            let (reused, mut open) = self.connection().await?;
            let request = self.request(&method, path, headers, body.clone(), open.forward.as_ref())?;
            match open.sender.try_send_request(request).await {
                Ok(response) => {
                    open.last_used = Instant::now();
                    self.open = Some(open);
                    // The responses to requests for frames have as many as the server lets wait.
                    let limit = self.config.max_message_size.saturating_mul(16);
                    return Ok(Answer { status: response.status(), body: response.into_body(), limit });
                }
                Err(mut error) => {
                    // It comes back if nothing of it was sent: the connection had been closed meanwhile.
                    let unsent = error.take_message().is_some();
                    if !(reused && unsent) {
                        return Err(End::lost(format!("the request failed: {}", error.error())));
                    }
                }
            }
        }
    }

    /// The connection that is kept, or a new one; taken out until a request has succeeded on it.
    async fn connection(&mut self) -> Result<(bool, Open), End> {
        if let Some(mut open) = self.open.take()
            && open.last_used.elapsed() < REUSE
            && open.sender.ready().await.is_ok()
        {
            return Ok((true, open));
        }
        let dialed = self.dialer.open(&self.address).await.map_err(End::lost)?;
        let (sender, connection) = http1::handshake(TokioIo::new(dialed.stream))
            .await
            .map_err(|error| End::lost(format!("the connection failed: {error}")))?;
        let driver = Aborted::spawn(async move {
            // What goes wrong is told to whoever waits for the response.
            let _ = connection.await;
        });
        let open = Open { sender, forward: dialed.forward, last_used: Instant::now(), _driver: driver };
        Ok((false, open))
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
        forward: Option<&Forward>,
    ) -> Result<Request<Full<Bytes>>, End> {
        let address = &self.address;
        let path = format!("{}{path}", address.uri.path().trim_end_matches('/'));
        // A proxy is given the whole URL (RFC 9112, 3.2.2).
        let uri = if forward.is_some() { format!("http://{}{path}", address.authority()) } else { path };
        let with_body = !body.is_empty();
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Full::new(body))
            .map_err(|error| End::lost(format!("the request is not possible: {error}")))?;
        let own = request.headers_mut();
        own.extend(self.config.headers.clone());
        own.extend(headers.iter().cloned());
        let host = HeaderValue::from_str(address.authority());
        own.insert(HOST, host.map_err(|error| End::lost(format!("the request is not possible: {error}")))?);
        if with_body {
            own.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(session) = &self.session {
            own.insert("ossa-session", session.clone());
        }
        if let Some(authorization) = forward.and_then(|proxy| proxy.authorization.clone()) {
            own.insert(PROXY_AUTHORIZATION, authorization);
        }
        Ok(request)
    }
}
