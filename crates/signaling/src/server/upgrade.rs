//! Turning a request into a WebSocket: version, subprotocol and an agent named in the URL.

use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::reply::{Body, plain, text_of};
use super::visit::{Upgraded, Visit};
use crate::control::SUBPROTOCOL;
use crate::uri::AgentUri;

/// Answers an upgrade request (RFC 6455, 4.2).
pub(super) fn answer<B>(visit: &Visit, request: &Request<B>) -> Response<Body> {
    match checked(request) {
        Ok((agent, accept, subprotocol)) => match visit.admit(request.headers(), "websocket") {
            Ok(arrival) => {
                visit.upgrade(Upgraded { agent, arrival });
                switch(&accept, subprotocol)
            }
            Err((status, error)) => plain(status, format!("{}: {}\n", error.code, error.message)),
        },
        Err(refusal) => *refusal,
    }
}

/// For whoever comes without a WebSocket.
pub(super) fn required() -> Response<Body> {
    let mut response = plain(
        StatusCode::UPGRADE_REQUIRED,
        "this is a signaling server: connect with a WebSocket, or POST to v1/sessions\n",
    );
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    response
}

/// The agent in the URL, the accept key, and whether the client asked for the subprotocol.
fn checked<B>(request: &Request<B>) -> Result<(Option<AgentUri>, String, bool), Box<Response<Body>>> {
    let refuse = |status, text: String| Err(Box::new(plain(status, text)));
    let headers = request.headers();
    if text_of(headers, header::SEC_WEBSOCKET_VERSION) != Some("13") {
        let mut response =
            plain(StatusCode::UPGRADE_REQUIRED, "UNSUPPORTED_VERSION: WebSocket 13 is spoken here\n");
        response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return Err(Box::new(response));
    }
    // 16 bytes in base64.
    let Some(key) = text_of(headers, header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "PROTOCOL_ERROR: Sec-WebSocket-Key is missing or wrong\n".into(),
        );
    };
    let agent = match request.uri().query().map(agent_of) {
        Some(Ok(agent)) => agent,
        Some(Err(error)) => return refuse(StatusCode::BAD_REQUEST, error),
        None => None,
    };
    let mut offered = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .peekable();
    // A client that names no subprotocol, like `new WebSocket(url)`, is welcome.
    let named = offered.peek().is_some();
    if named && !offered.any(|protocol| protocol == SUBPROTOCOL) {
        let text = format!("UNSUPPORTED_VERSION: this server speaks {SUBPROTOCOL}\n");
        return refuse(StatusCode::BAD_REQUEST, text);
    }
    Ok((agent, derive_accept_key(key.as_bytes()), named))
}

fn switch(accept: &str, subprotocol: bool) -> Response<Body> {
    let mut response = Response::new(Body::Full(None));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if subprotocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    response
}

/// The agent in `agentId=agent%3A%2F%2Fhost%2Fpath`. Other parameters are left to load balancers and the like.
fn agent_of(query: &str) -> Result<Option<AgentUri>, String> {
    let Some(value) = query.split('&').find_map(|pair| pair.strip_prefix("agentId=")) else {
        return Ok(None);
    };
    // An agent URI may itself contain percent-encoding: exactly one level is removed.
    let text = decoded(value).ok_or("agentId is not UTF-8\n")?;
    AgentUri::parse(&text).map(Some).map_err(|error| format!("{error}\n"))
}

/// `value` without its percent-encoding, unless that is not UTF-8.
pub(super) fn decoded(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let decoded = (*first == b'%')
            .then(|| tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_in_the_query_is_decoded_once() {
        let agent = |query| agent_of(query).unwrap().map(|uri| uri.to_string());
        assert_eq!(agent("agentId=agent%3A%2F%2FHost%2Fa%2520b"), Some("agent://host/a%20b".into()));
        assert_eq!(agent("x=1&agentId=agent://h"), Some("agent://h".into()));
        assert_eq!(agent("x=1"), None);
        assert!(agent_of("agentId=http://h").is_err());
        assert!(agent_of("agentId=%").is_err());
        assert!(agent_of("agentId=%+1").is_err());
    }
}
