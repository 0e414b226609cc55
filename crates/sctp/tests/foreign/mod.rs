//! Other SCTP stacks behind one interface, to talk to them in memory.
#![allow(unreachable_pub, reason = "shared by test binaries")]

mod dcsctp_stack;
mod proto_stack;
mod rtc_stack;

use std::time::Instant;

use bytes::Bytes;

pub use dcsctp_stack::DcSctp;
pub use proto_stack::SctpProto;
pub use rtc_stack::RtcSctp;

/// How another stack is to deliver a message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delivery {
    pub unordered: bool,
    /// Without retransmission.
    pub once: bool,
}

/// Another stack's association.
pub trait Foreign {
    /// Starts the handshake.
    fn connect(&mut self, now: Instant);
    fn handle_packet(&mut self, now: Instant, packet: Bytes);
    fn handle_timeout(&mut self, now: Instant);
    fn next_timeout(&mut self) -> Option<Instant>;
    /// Packets to send, and bookkeeping.
    fn poll(&mut self, now: Instant) -> Vec<Bytes>;
    fn is_established(&self) -> bool;
    /// Queues a message.
    fn send(&mut self, now: Instant, stream: u16, payload: &Bytes, delivery: Delivery);
    /// Messages that arrived since the last call.
    fn receive(&mut self) -> Vec<(u16, Bytes)>;
    /// Resets (closes) the outgoing side of a stream.
    fn reset(&mut self, now: Instant, stream: u16);
    /// Whether the peer's reset of a stream was noticed.
    fn saw_reset(&mut self, stream: u16) -> bool;
}
