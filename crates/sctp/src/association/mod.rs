//! The association: one SCTP connection between two endpoints.

use std::time::Instant;

use bytes::Bytes;

use crate::{Config, Event, Metrics, Received, ResetError, SendError, SendOptions, State};

/// One SCTP association. See the crate's documentation for how to drive it.
pub struct Association {
    config: Config,
    state: State,
}

impl Association {
    /// Creates an association that has not started. `seed` must come from a cryptographic random source: tags,
    /// initial TSN and the cookie key are derived from it.
    pub fn new(config: Config, _seed: [u8; 32]) -> Self {
        Self { config, state: State::Closed }
    }

    /// Starts the handshake. Both sides of a WebRTC connection call it (RFC 9260 section 5.2).
    pub fn connect(&mut self, _now: Instant) {}

    /// Takes one packet, the content of one decrypted DTLS record.
    pub fn handle_packet(&mut self, _now: Instant, _packet: Bytes) {}

    /// Runs the timers that are due; call it at [`poll_timeout`](Self::poll_timeout).
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// When `handle_timeout` wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Appends one packet to `out` and returns its length, or `None` when there is nothing to send now.
    pub fn poll_transmit(&mut self, _now: Instant, _out: &mut Vec<u8>) -> Option<usize> {
        None
    }

    /// Takes the next control event.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// Takes the next message or incoming reset. What is not taken closes the receive window, so the peer stops.
    pub fn recv(&mut self) -> Option<Received> {
        None
    }

    /// Queues one message.
    ///
    /// # Errors
    /// See [`SendError`]; nothing is queued then.
    pub fn send(
        &mut self,
        _now: Instant,
        _stream: u16,
        _ppid: u32,
        _payload: Bytes,
        _options: SendOptions,
    ) -> Result<(), SendError> {
        Err(SendError::NotConnected { state: self.state })
    }

    /// Resets the outgoing side of a stream after everything queued on it has been delivered or given up.
    ///
    /// # Errors
    /// See [`ResetError`].
    pub fn reset_stream(&mut self, _stream: u16) -> Result<(), ResetError> {
        Err(ResetError::NotConnected { state: self.state })
    }

    /// Sets the share of the bandwidth that a stream gets relative to others with data queued. Default 256.
    pub fn set_stream_priority(&mut self, _stream: u16, _priority: u16) {}

    /// Payload bytes queued on a stream that have not been sent a first time.
    pub fn buffered_amount(&self, _stream: u16) -> usize {
        0
    }

    /// Closes gracefully: queued data is delivered first.
    pub fn shutdown(&mut self, _now: Instant) {}

    /// Closes at once; the next packet tells the peer.
    pub fn abort(&mut self, _reason: &str) {}

    /// The path below changed (ICE selected another pair): estimates and the path MTU start anew.
    pub fn on_path_change(&mut self, _now: Instant) {}

    /// The current state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Streams agreed on: ours outgoing, ours incoming. `None` before the handshake is done.
    pub fn peer_streams(&self) -> Option<(u16, u16)> {
        None
    }

    /// Counters and gauges.
    pub fn metrics(&self) -> Metrics {
        Metrics { mtu: self.config.initial_mtu, ..Metrics::default() }
    }
}
