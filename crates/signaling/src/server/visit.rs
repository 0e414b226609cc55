//! Who comes in over HTTP: one connection, and the clients that it brings.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::StatusCode;
use hyper::header::{self, HeaderMap};
use tokio::sync::watch;

use super::address::{Place, came_through_a_proxy, client_address};
use super::auth::Visitor;
use super::event::ServerEvent;
use super::reply::text_of;
use super::stats::count;
use super::{Phase, Shared};
use crate::control::{AuthMode, MAX_TOKEN};
use crate::error::{ErrorBody, code};
use crate::uri::AgentUri;

/// The longest `Host` accepted, in bytes: a name has at most 253 (RFC 1035), and a port may follow. It is kept for as long as the
/// client stays.
const MAX_HOST: usize = 260;

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
    pub(super) id: u64,
    pub(super) peer: SocketAddr,
    pub(super) upgraded: Mutex<Option<Upgraded>>,
}

impl Visit {
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
    visitor.direct = !came_through_a_proxy(headers);
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
