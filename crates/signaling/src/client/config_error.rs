//! What is wrong with a configuration.

use hyper::header::HeaderName;

/// Why a [`ClientConfig`](crate::ClientConfig) was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not the URL of a server.
    #[error("{url:?} is not the URL of a signaling server (ws://, wss://, http:// or https://): {reason}")]
    Url {
        /// The text given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No URL, or too many.
    #[error("{0} URLs of signaling servers were given, from 1 to 16 are needed")]
    Count(usize),
    /// Not the URL of a proxy that can be used, before a server that is reached through it.
    #[error("{origin} is {url:?}, which cannot be used as a proxy: {reason}")]
    Proxy {
        /// Where it was set: the name of a variable or an option.
        origin: String,
        /// The text given, without user and password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A header that the client itself is responsible for.
    #[error("the header {0:?} is set by the client itself")]
    Header(HeaderName),
}
