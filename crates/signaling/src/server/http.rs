//! The HTTP side of a connection: which requests are served at all, and by what.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::Stream;
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::time::timeout;

use super::address::{Place, client_address, place_of};
use super::auth::Visitor;
use super::event::ServerEvent;
use super::io::{Io, Patient};
use super::{Phase, Shared, admin, stats::count, transport, upgrade};
use crate::control::AuthMode;
use crate::control::MAX_TOKEN;
use crate::error::{ErrorBody, code};
use crate::uri::AgentUri;

/// The most that a request line with its headers may take. Tokens are at most 8 KiB.
const MAX_HEAD: usize = 16 * 1024;

/// The longest `Host` accepted, in bytes: a name has at most 253 (RFC 1035), and a port may follow. It is kept for as long as the
/// client stays.
const MAX_HOST: usize = 260;

/// The body of a response.
pub(super) enum Body {
    Full(Option<Bytes>),
    /// Comes as long as it lasts.
    Stream(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(stream) => {
                stream.as_mut().poll_next(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Full(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// What a request asked for that the connection becomes a WebSocket of.
pub(super) struct Upgraded {
    pub(super) agent: Option<AgentUri>,
    pub(super) arrival: Arrival,
}

/// A client that comes in.
pub(super) struct Arrival {
    pub(super) visitor: Visitor,
    /// `websocket` or `http`.
    pub(super) transport: &'static str,
    /// Counts the client where it comes from, if that is not where the connection comes from.
    pub(super) place: Option<Place>,
}

/// One connection while it speaks HTTP.
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    pub(super) shutdown: watch::Receiver<Phase>,
    id: u64,
    peer: SocketAddr,
    upgraded: Mutex<Option<Upgraded>>,
}

/// Serves requests until the connection ends, or becomes a WebSocket: then it is handed back together with what the client
/// has sent already.
pub(super) async fn serve(
    shared: Arc<Shared>,
    io: Io,
    peer: SocketAddr,
    id: u64,
    mut shutdown: watch::Receiver<Phase>,
) -> Option<(Io, Bytes, Upgraded)> {
    let config = &shared.config;
    let (patience, goodbye) = (config.handshake_timeout, config.close_timeout);
    let visit = Arc::new(Visit {
        shared: shared.clone(),
        shutdown: shutdown.clone(),
        id,
        peer,
        upgraded: Mutex::new(None),
    });
    let service = {
        let visit = visit.clone();
        service_fn(move |request| {
            let visit = visit.clone();
            Box::pin(async move { Ok::<_, Infallible>(visit.answer(request).await) })
        })
    };
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Also the longest that a connection may stay without a request.
        .header_read_timeout(patience)
        .max_buf_size(MAX_HEAD)
        .max_headers(64)
        .serve_connection(TokioIo::new(Patient::new(io, patience)), service);
    let served = std::future::poll_fn(|cx| connection.poll_without_shutdown(cx));
    let finished = tokio::select! {
        finished = served => finished,
        () = super::closing(&mut shutdown) => {
            Pin::new(&mut connection).graceful_shutdown();
            let rest = std::future::poll_fn(|cx| connection.poll_without_shutdown(cx));
            timeout(goodbye, rest).await.ok()?
        }
    };
    finished.ok()?;
    let parts = connection.into_parts();
    let mut io = parts.io.into_inner().into_inner();
    let upgraded = visit.upgraded.lock().unwrap_or_else(PoisonError::into_inner).take();
    match upgraded {
        Some(upgraded) => Some((io, parts.read_buf, upgraded)),
        None => {
            let _ = timeout(goodbye, io.shutdown()).await;
            None
        }
    }
}

impl Visit {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        self.shared.half_open.done(place_of(self.peer.ip()), self.id);
        let config = &self.shared.config;
        let headers = request.headers();
        let host = text_of(headers, header::HOST).map(str::to_owned);
        let origin = headers.get(header::ORIGIN).cloned();
        if let Some(origin) = &origin
            && !origin.to_str().is_ok_and(|origin| config.origins.allow(origin, host.as_deref()))
        {
            count(&self.shared.counters.turned_away);
            self.shared.emit(|| ServerEvent::Turned {
                address: self.address(headers),
                why: "pages of that origin are not served",
            });
            let text = "UNAUTHORIZED: pages of this origin are not served here\n";
            return plain(StatusCode::FORBIDDEN, text);
        }
        let mut response = self.route(request).await;
        if let Some(origin) = origin {
            transport::share(response.headers_mut(), origin);
        }
        response
    }

    async fn route(self: &Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let config = &self.shared.config;
        let path = request.uri().path();
        if is_upgrade(request.headers()) && request.method() == Method::GET {
            return match &config.path {
                Some(own) if own != path => plain(StatusCode::NOT_FOUND, format!("signaling is at {own}\n")),
                _ => upgrade::answer(self, &request),
            };
        }
        let Some(path) = path.strip_prefix(config.base()) else {
            return self.nothing_here(path);
        };
        match path {
            "/health" | "/ready" | "/metrics" | "/status" | "/status.json" => {
                if !matches!(*request.method(), Method::GET | Method::HEAD) {
                    return not_allowed("GET, HEAD");
                }
                admin::answer(&self.shared, path, request.headers(), self.address(request.headers()))
            }
            "/v1/sessions" | "/v1/frames" => transport::answer(self, request).await,
            _ => self.nothing_here(request.uri().path()),
        }
    }

    fn nothing_here(&self, path: &str) -> Response<Body> {
        match &self.shared.config.path {
            Some(own) if own == path => upgrade::required(),
            None if path == "/" => upgrade::required(),
            Some(own) => plain(StatusCode::NOT_FOUND, format!("signaling is at {own}\n")),
            None => plain(StatusCode::NOT_FOUND, "there is nothing at this path\n"),
        }
    }

    /// Where the client is.
    pub(super) fn address(&self, headers: &HeaderMap) -> IpAddr {
        client_address(self.peer.ip(), headers, &self.shared.config.trusted_proxies)
    }

    /// Lets a new client in, or says why not.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        transport: &'static str,
    ) -> Result<Arrival, (StatusCode, ErrorBody)> {
        let Shared { config, places, session_places, .. } = &*self.shared;
        let address = self.address(headers);
        let refuse = |status, code, why| {
            count(&self.shared.counters.turned_away);
            self.shared.emit(|| ServerEvent::Turned { address, why });
            Err((status, ErrorBody::new(code, why)))
        };
        let unavailable = |why| refuse(StatusCode::SERVICE_UNAVAILABLE, code::RATE_LIMIT_EXCEEDED, why);
        if !matches!(*self.shutdown.borrow(), Phase::Serving) {
            return unavailable("the server is about to shut down");
        }
        if self.shared.clients() >= config.max_connections {
            return unavailable("the server is full");
        }
        let visitor = match visitor(headers, address, config.authenticator.mode()) {
            Ok(visitor) => visitor,
            Err(why) => {
                return refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, code::MESSAGE_TOO_LARGE, why);
            }
        };
        let counted = match transport {
            // One connection can start any number of sessions, and they outlive it.
            "http" => Some(session_places),
            _ if address != self.peer.ip().to_canonical() => Some(places),
            _ => None,
        };
        let entered = counted.map(|places| places.enter(address, config.max_connections_per_address));
        match entered {
            Some(None) => {
                let why = "too many connections from this address";
                refuse(StatusCode::TOO_MANY_REQUESTS, code::RATE_LIMIT_EXCEEDED, why)
            }
            place => Ok(Arrival { visitor, transport, place: place.flatten() }),
        }
    }

    /// After the response to the present request the connection is a WebSocket.
    pub(super) fn upgrade(&self, to: Upgraded) {
        *self.upgraded.lock().unwrap_or_else(PoisonError::into_inner) = Some(to);
    }
}

/// What is remembered of a client: no more than is of use, since it stays as long as the client does.
fn visitor(headers: &HeaderMap, address: IpAddr, mode: AuthMode) -> Result<Visitor, &'static str> {
    let mut visitor = Visitor::new(address);
    visitor.host = text_of(headers, header::HOST).map(str::to_owned);
    if visitor.host.as_ref().is_some_and(|host| host.len() > MAX_HOST) {
        return Err("the Host of the request is too long");
    }
    if mode == AuthMode::Bearer
        && let Some(authorization) = text_of(headers, header::AUTHORIZATION)
    {
        visitor.authorization(authorization);
    }
    if visitor.bearer.as_ref().is_some_and(|token| token.reveal().len() > MAX_TOKEN) {
        return Err("the bearer token of the request is too long");
    }
    Ok(visitor)
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    let has = |name, wanted: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|token| token.trim().eq_ignore_ascii_case(wanted))
    };
    has(header::CONNECTION, "upgrade") && has(header::UPGRADE, "websocket")
}

pub(super) fn text_of(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A response in plain text.
pub(super) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    with_body(status, "text/plain; charset=utf-8", text)
}

/// A response whose content must not be kept by anybody.
pub(super) fn with_body(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::Full(Some(body.into())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

pub(super) fn not_allowed(methods: &'static str) -> Response<Body> {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED\n");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}
