//! Tokio I/O that drives [`ossa_peer::Connection`]s.
//!
//! A [`Runtime`] owns a fixed number of threads. A [`Peer`] is pinned to one of them, with its own UDP sockets (one for each local
//! address), its timer and its allocations on TURN servers. Calls into a peer may come from any thread and are carried
//! out on that thread as far as possible: a small message is encrypted and on its way when [`Peer::send_batch`] returns.
//!
//! ```text
//!  any thread ── Peer::with / send_batch ──┐                    ┌── events ──> Sink (e.g. the JavaScript queue)
//!                                          v                    │
//!                              Mutex<Core { Connection, links }>┤
//!                                          ^                    │
//!  shard thread ── Driver (sockets, timer)─┘                    └── datagrams ──> UDP sockets, TURN allocations
//!               └─ gathering: STUN and TURN servers, name resolution
//! ```
//!
//! Modules know those below them only, in this order: `peer` (the handle), `driver` (the task), `gather` and `turn` and `resolve` (what
//! runs beside it), `shared` and `core` (the lock and what it protects), `link` (the ways out: `socket`, `relay`, `tcp`), `listen` (the
//! ports that peers are found at), and what needs nothing else: `crash`, `sink`, `stun`, `config`, `interfaces`, `url`.

mod attempts;
mod config;
mod core;
mod crash;
mod datagrams;
mod driver;
mod error;
mod foreground;
mod fragmentation;
#[doc(hidden)]
pub mod fuzz;
mod gather;
mod interfaces;
mod link;
mod listen;
mod mdns;
mod names;
mod peer;
mod readiness;
mod relay;
mod relays;
mod renewal;
mod resolve;
mod roam;
mod roaming;
mod runtime;
mod shared;
mod sink;
mod socket;
mod socket_options;
mod stun;
mod tcp;
mod turn;
mod url;

pub use config::{IceServer, Listen, PeerConfig, TcpMode};
pub use crash::internal_errors;
pub use error::Error;
pub use foreground::{Foreground, Served};
pub use interfaces::InterfaceFilter;
pub use peer::{Peer, WeakPeer};
pub use readiness::Watched;
pub use runtime::{Runtime, RuntimeConfig};
pub use sink::{OutMessage, Sink};
pub use socket_options::{enlarge_buffers, ignore_unreachable};
pub use url::{Host, IceServerUrl, Scheme, ServerTransport, UrlError, parse_ice_server_url};
