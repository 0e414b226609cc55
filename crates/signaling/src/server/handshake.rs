//! The HTTP side of a connection: path, subprotocol and an agent named in the URL.

use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

use super::auth::Visitor;
use crate::{AgentUri, SUBPROTOCOL};

/// Checks an upgrade request; what the URL registers ends up in `agent`.
pub(super) struct Upgrade<'a> {
    pub(super) path: Option<&'a str>,
    pub(super) agent: &'a mut Option<AgentUri>,
    /// Learns what the request says about the client.
    pub(super) visitor: &'a mut Visitor,
}

impl Callback for Upgrade<'_> {
    fn on_request(self, request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
        if let Some(path) = self.path
            && path != request.uri().path()
        {
            return Err(refusal(StatusCode::NOT_FOUND, format!("signaling is at {path}\n")));
        }
        if let Some(query) = request.uri().query() {
            *self.agent = agent_of(query).map_err(|error| refusal(StatusCode::BAD_REQUEST, error))?;
        }
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        self.visitor.host = header("host").map(str::to_owned);
        if let Some(authorization) = header("authorization") {
            self.visitor.authorization(authorization);
        }
        let mut offered = request
            .headers()
            .get_all("sec-websocket-protocol")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .peekable();
        // A client that names no subprotocol, like `new WebSocket(url)`, is welcome.
        if offered.peek().is_some() {
            if !offered.any(|protocol| protocol == SUBPROTOCOL) {
                let text = format!("UNSUPPORTED_VERSION: this server speaks {SUBPROTOCOL}\n");
                return Err(refusal(StatusCode::BAD_REQUEST, text));
            }
            response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        }
        Ok(response)
    }
}

fn refusal(status: StatusCode, text: String) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(text));
    *response.status_mut() = status;
    response
}

/// The agent in `agentId=agent%3A%2F%2Fhost%2Fpath`. Other parameters are left to load balancers and the like.
fn agent_of(query: &str) -> Result<Option<AgentUri>, String> {
    let Some(value) = query.split('&').find_map(|pair| pair.strip_prefix("agentId=")) else {
        return Ok(None);
    };
    // An agent URI may itself contain percent-encoding: exactly one level is removed.
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
    let text = String::from_utf8(bytes).map_err(|_| "agentId is not UTF-8\n".to_owned())?;
    AgentUri::parse(&text).map(Some).map_err(|error| format!("{error}\n"))
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
