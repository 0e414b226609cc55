//! Ports at which peers are found by the username fragment in the first message (RFC 8445, section 7.3).
//!
//! A port knows its peers as [`Owner`]s, and nothing of what they do. What is nobody's is dropped where it comes in: it reaches no
//! connection and is not remembered.

mod first;
pub(crate) mod fuzz;
mod owner;
mod registry;
mod table;
mod tcp_port;
mod udp_port;

pub(crate) use owner::Owner;
pub(crate) use registry::Ports;
pub(crate) use table::OwnerId;
pub(crate) use tcp_port::{TcpPort, listen_in_range};
pub(crate) use udp_port::UdpPort;
