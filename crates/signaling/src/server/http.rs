//! The HTTP side of a connection: which requests are served at all, and by what.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::time::timeout;

use super::address::place_of;
use super::event::ServerEvent;
use super::io::{Io, Patient};
use super::reply::{Body, not_allowed, plain, text_of};
use super::stats::count;
use super::visit::{Upgraded, Visit};
use super::{Phase, Shared, admin, transport, upgrade};

/// The most that a request line with its headers may take. Tokens are at most 8 KiB.
const MAX_HEAD: usize = 16 * 1024;

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
            std::pin::Pin::new(&mut connection).graceful_shutdown();
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
            _ if admin::is_ours(path) => {
                if !matches!(*request.method(), Method::GET | Method::HEAD) {
                    return not_allowed("GET, HEAD");
                }
                admin::answer(self, path, &request)
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
