//! How connections end.

use hyper::StatusCode;

use crate::error::{ErrorBody, close_code, code};

/// RFC 6455, 7.4.1: the server is going down.
const GOING_AWAY: u16 = 1001;

/// How a connection ended by itself.
pub(super) enum End {
    /// The server refuses this agent: trying again would not help.
    Refused(ErrorBody),
    /// Anything that may be different next time.
    Lost {
        /// What happened.
        error: String,
        /// The server has said that it goes away: there is no reason to wait before trying elsewhere.
        going_away: bool,
    },
}

impl End {
    pub(super) fn lost(error: impl Into<String>) -> Self {
        Self::Lost { error: error.into(), going_away: false }
    }

    /// The server has ended the connection, for a reason if it has given one.
    pub(super) fn closed_by_server(reason: Option<(u16, &str)>) -> Self {
        match reason {
            Some((close_code::REPLACED, text)) => Self::Refused(ErrorBody::new(code::UNAUTHORIZED, text)),
            Some((code, text)) => Self::Lost {
                error: format!("the server closed the connection ({code} {text})"),
                going_away: code == GOING_AWAY,
            },
            None => Self::lost("the server closed the connection"),
        }
    }

    /// An answer other than the one hoped for.
    pub(super) fn refused_by_http(status: StatusCode, body: &[u8]) -> Self {
        let text = match serde_json::from_slice::<ErrorBody>(body) {
            Ok(error) => error.message,
            Err(_) => String::from_utf8_lossy(&body[..body.len().min(200)]).trim().to_owned(),
        };
        let text = format!("HTTP {status}: {text}");
        match status {
            StatusCode::UNAUTHORIZED => Self::Refused(ErrorBody::new(code::UNAUTHORIZED, text)),
            _ => Self::lost(text),
        }
    }
}
