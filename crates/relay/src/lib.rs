//! A TURN server (RFC 8656) that shares the port of the signaling server: UDP on the same number, TCP and TLS on the same listener.
//!
//! - [`turn`]: the protocol, without sockets and clocks.
//! - [`Relay`]: the sockets, many datagrams per system call, and what the signaling server knows it by, [`ossa_signaling::Relay`].
//!
//! TCP allocations (RFC 6062), mobility (RFC 8016) and the ICMP attribute are not in it: nobody in WebRTC asks for them.
#![forbid(unsafe_code)]

mod config;
#[doc(hidden)]
pub mod fuzz;
mod io;
pub mod turn;

pub use config::{Limits, RelayConfig};
pub use io::Relay;
