//! Ports at which peers are found by the username fragment in the first message (RFC 8445, section 7.3).
//!
//! A port knows its peers as [`Owner`]s, and nothing of what they do. What is nobody's is dropped where it comes in: it reaches no
//! connection and is not remembered.

mod first;
mod owner;
mod tcp_port;

pub(crate) use owner::Owner;
pub(crate) use tcp_port::{TcpPort, listen_in_range};
