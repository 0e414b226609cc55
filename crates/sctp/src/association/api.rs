//! What callers ask for and look at.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Association;
use crate::error::{ResetError, SendError};
use crate::event::{Event, Received};
use crate::metrics::Metrics;
use crate::options::SendOptions;
use crate::state::State;

impl Association {
    /// Queues one message. On a stream that is being reset it waits for the end of that, and begins the next life
    /// of the stream (or goes on with the present one, if the peer refuses).
    ///
    /// # Errors
    /// See [`SendError`]; nothing is queued then.
    pub fn send(
        &mut self,
        now: Instant,
        stream: u16,
        ppid: u32,
        payload: Bytes,
        options: SendOptions,
    ) -> Result<(), SendError> {
        if self.state != State::Established {
            return Err(SendError::NotConnected { state: self.state });
        }
        let size = payload.len();
        if size == 0 {
            return Err(SendError::Empty);
        }
        // Offsets within a message have 32 bits.
        let limit = match self.config.max_send_message_size {
            0 => u32::MAX as usize,
            limit => limit.min(u32::MAX as usize),
        };
        if size > limit {
            return Err(SendError::TooLarge { size, limit });
        }
        let streams = self.outbound_streams();
        if stream >= streams {
            return Err(SendError::NoSuchStream { stream, streams });
        }
        let (buffered, limit) = (self.sender.buffered(), self.config.send_buffer_limit);
        if limit != 0 && buffered >= limit {
            return Err(SendError::BufferFull { buffered, limit });
        }
        let now = self.at(now);
        self.sender.push(now, stream, ppid, payload, options);
        self.pmtud.on_queued(self.sender.buffered());
        Ok(())
    }

    /// Resets the outgoing side of a stream after everything queued on it has been delivered or given up.
    ///
    /// # Errors
    /// See [`ResetError`].
    pub fn reset_stream(&mut self, stream: u16) -> Result<(), ResetError> {
        if self.state != State::Established {
            return Err(ResetError::NotConnected { state: self.state });
        }
        if !self.agreed().reconfig {
            return Err(ResetError::NotSupported);
        }
        let streams = self.outbound_streams();
        if stream >= streams {
            return Err(ResetError::NoSuchStream { stream, streams });
        }
        if self.sender.is_resetting(stream) {
            return Err(ResetError::InProgress { stream });
        }
        self.sender.start_reset(stream);
        Ok(())
    }

    /// Sets the share of the bandwidth that a stream gets relative to others with data queued. Default 256; 0
    /// counts as 1.
    pub fn set_stream_priority(&mut self, stream: u16, priority: u16) {
        self.sender.set_priority(stream, priority);
    }

    /// Payload bytes queued on a stream that have not been sent a first time.
    pub fn buffered_amount(&self, stream: u16) -> usize {
        self.sender.buffered_on(stream)
    }

    /// Takes the next control event.
    pub fn poll_event(&mut self) -> Option<Event> {
        let starts = |event: &Event| matches!(event, Event::Connected { .. } | Event::Restarted);
        if self.events.front().is_some_and(starts) {
            return self.events.pop_front();
        }
        // What happened to messages comes before what happened to their stream or to everything.
        self.sender
            .poll_event()
            .or_else(|| self.events.pop_front())
            .or_else(|| self.closing.take().map(|reason| Event::Closed { reason }))
    }

    /// Takes the next message or incoming reset. What is not taken closes the receive window, so the peer stops;
    /// after taking some, call [`poll_transmit`](Self::poll_transmit), which tells the peer when it may go on.
    pub fn recv(&mut self) -> Option<Received> {
        self.receiver.recv()
    }

    /// The current state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Streams agreed on: ours outgoing, ours incoming. `None` before the handshake is done.
    pub fn peer_streams(&self) -> Option<(u16, u16)> {
        self.is_up().then(|| (self.outbound_streams(), self.receiver.inbound_streams()))
    }

    /// The path below changed (ICE selected another pair): estimates and the path MTU start anew. `inside_host` replaces
    /// [`Config::path_inside_host`](crate::Config::path_inside_host).
    pub fn on_path_change(&mut self, now: Instant, inside_host: bool) {
        let now = self.at(now);
        self.config.path_inside_host = inside_host;
        if !self.is_up() {
            return;
        }
        let before = self.pmtud.current();
        self.pmtud.restart();
        self.sender.on_path_change(&self.config, now);
        if self.pmtud.current() != before {
            self.events.push_back(Event::MtuChanged { mtu: self.pmtud.current() });
        }
        // Learn the new round trip time at once.
        self.heartbeat.request();
    }

    /// The network path is the same, and works again after seconds in which nothing came through.
    pub fn on_path_restored(&mut self, now: Instant) {
        let now = self.at(now);
        if self.is_up() {
            self.sender.on_path_restored(now);
            // The peer may have nothing to say, and its window may have opened meanwhile.
            self.heartbeat.request();
        }
    }

    /// Gives back room for what is queued, in flight or unread, as far as there is nothing of it. To be called now and then: of thousands
    /// of associations most may be idle.
    pub fn shrink(&mut self) {
        self.sender.shrink();
        self.receiver.shrink();
        self.control.shrink();
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
    }

    /// Counters and gauges.
    pub fn metrics(&self) -> Metrics {
        let (sender, receiver, traffic) = (&self.sender, &self.receiver, &self.traffic);
        let agreed = self.agreed();
        Metrics {
            srtt: sender.rtt.smoothed().map(Duration::from_nanos),
            min_rtt: sender.rtt.min().map(Duration::from_nanos),
            rto: Duration::from_nanos(sender.rtt.rto()),
            cwnd: sender.window(),
            ssthresh: sender.threshold(),
            peer_rwnd: sender.peer_window(),
            local_rwnd: receiver.advertised(),
            mtu: self.pmtud.current(),
            in_flight: sender.in_flight(),
            buffered: sender.buffered(),
            unread: receiver.unread(),
            packets_sent: traffic.packets_sent,
            packets_received: traffic.packets_received,
            packets_dropped: traffic.packets_dropped,
            bytes_sent: traffic.bytes_sent,
            bytes_received: traffic.bytes_received,
            messages_sent: sender.counters.messages_sent,
            messages_received: receiver.messages_received(),
            messages_abandoned: sender.counters.messages_abandoned,
            retransmits: sender.counters.retransmits,
            spurious_retransmits: sender.counters.spurious_retransmits,
            timeouts: sender.counters.timeouts,
            interleaving: agreed.interleaving,
            zero_checksum: agreed.zero_checksum,
        }
    }
}
