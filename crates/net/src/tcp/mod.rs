//! ICE over TCP (RFC 6544): host candidates that open connections (active) or accept them (passive), and the messages in them, framed as
//! RFC 4571 has it.
//!
//! A connection is a task of its own, which reads and gives what it reads to the peer. Whoever sends writes to the socket directly; what
//! it does not take waits in the [`Stream`], which is a run of datagrams at most, and until that is gone the peer is told that
//! there is no room. Simultaneous open is not done: it needs both sides to know each other's ports, which a NAT sees to that they
//! do not. Where connections are accepted, and whose they are, is known to `listen`.

mod base;
mod framing;
mod open;
mod serve;
mod stream;

pub(crate) use base::TcpBase;
pub(crate) use framing::Deframer;
pub(crate) use open::start as start_active;
pub(crate) use serve::accept;

/// The port of an active candidate in its line: "discard", as nobody can connect to it (RFC 6544, section 4.5).
pub(crate) const ACTIVE_PORT: u16 = 9;
