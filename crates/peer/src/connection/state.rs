//! The states that applications see, and the events of their changes.

use std::time::Instant;

use ossa_sctp::Association;

use super::Connection;
use super::datagrams::deliver;
use crate::event::Event;
use crate::ice::{Route, SelectedPair};
use crate::jsep::DtlsRole;
use crate::states::{ConnectionState, DtlsState, GatheringState, IceState, SctpState};

/// What was last reported.
pub(super) struct Shown {
    pub connection: ConnectionState,
    pub ice: IceState,
    /// ICE was `disconnected` or `failed`, and has not been connected since.
    pub silent: bool,
    /// With the generation that it is the state of.
    pub gathering: (u32, GatheringState),
    pub dtls: DtlsState,
    pub route: Option<Route>,
    pub pair: Option<SelectedPair>,
}

impl Default for Shown {
    fn default() -> Self {
        Shown {
            connection: ConnectionState::New,
            ice: IceState::New,
            silent: false,
            gathering: (0, GatheringState::New),
            dtls: DtlsState::New,
            route: None,
            pair: None,
        }
    }
}

impl Connection {
    /// Looks at all states, starts what can be started, and reports what has changed.
    pub(super) fn update(&mut self, now: Instant) {
        if self.is_over() {
            return;
        }
        let gathering = (self.ice.newest_number(), self.ice.gathering_state());
        if gathering != self.shown.gathering {
            self.shown.gathering = gathering;
            let (generation, state) = gathering;
            self.events.push_back(Event::IceGatheringState { generation, state });
        }
        self.update_route(now);
        self.update_ice(now);
        self.start_dtls(now);
        self.update_dtls(now);
        self.update_connection();
    }

    fn update_route(&mut self, now: Instant) {
        let route = self.ice.route();
        if route == self.shown.route {
            return;
        }
        let moved = match (self.shown.route, route) {
            (Some(old), Some(new)) => old.path != new.path,
            _ => false,
        };
        self.shown.route = route;
        if let Some(sctp) = self.sctp.as_mut().filter(|_| moved) {
            sctp.on_path_change(now, route.is_some_and(|route| self.ice.is_inside_host(route)));
        }
        let pair = self.ice.selected_pair(&self.mid());
        if pair != self.shown.pair {
            self.shown.pair = pair.clone();
            if let Some(pair) = pair {
                self.events.push_back(Event::SelectedPair(Box::new(pair)));
            }
        }
    }

    fn update_ice(&mut self, now: Instant) {
        let state = self.ice.state(now);
        if state == self.shown.ice {
            return;
        }
        if state == IceState::Failed {
            self.ice.mark_failed();
        }
        let carries = matches!(state, IceState::Connected | IceState::Completed);
        if let Some(sctp) = self.sctp.as_mut().filter(|_| carries && self.shown.silent) {
            sctp.on_path_restored(now);
        }
        let broken = matches!(state, IceState::Disconnected | IceState::Failed);
        self.shown.silent = !carries && (self.shown.silent || broken);
        self.shown.ice = state;
        self.events.push_back(Event::IceTransportState(state));
        self.events.push_back(Event::IceConnectionState(state));
        // The connection's state follows before anything that DTLS does as a consequence.
        self.update_connection();
    }

    /// The client speaks first, as soon as there is a way, which a connectivity check is as well; the server may be spoken to even
    /// before it has chosen one.
    fn start_dtls(&mut self, now: Instant) {
        let usable = self.ice.route().is_some();
        let ready = match self.dtls.role() {
            Some(DtlsRole::Client) => usable || self.ice.carries_dtls(),
            Some(DtlsRole::Server) => usable || self.dtls.has_early(),
            None => false,
        };
        if ready {
            let (sctp, unclaimed) = (&mut self.sctp, &mut self.unclaimed);
            let sink = &mut |record| deliver(now, sctp, unclaimed, record);
            self.dtls.start(now, usable, &mut self.rx, sink);
        }
        if usable && self.dtls.is_pathless() {
            let embedding = &self.ice.embedding;
            self.dtls.path_found(now, |datagram| embedding.has_carried(datagram));
        }
    }

    /// Gives DTLS what has come inside of checks, and the checks what it has to say. To be called before they are sent.
    pub(super) fn exchange_flights(&mut self, now: Instant) {
        while let Some(datagram) = self.ice.embedding.poll_arrived() {
            let (sctp, unclaimed) = (&mut self.sctp, &mut self.unclaimed);
            let sink = &mut |record| deliver(now, sctp, unclaimed, record);
            self.dtls.receive(now, &datagram, &mut self.rx, sink);
        }
        self.start_dtls(now);
        if let Some(flight) = self.dtls.take_flight() {
            self.ice.embedding.carry(flight);
        }
        if self.dtls.has_finished() {
            self.ice.embedding.finish(self.dtls.is_answered());
        }
    }

    /// Something about the candidates or the peer is new: checks that are due leave at once.
    pub(super) fn kick(&mut self, now: Instant) {
        self.exchange_flights(now);
        self.ice.kick(now);
        self.update(now);
    }

    fn update_dtls(&mut self, now: Instant) {
        let state = self.dtls.state();
        if state == self.shown.dtls {
            return;
        }
        // A peer that has left before it answered a check is still heard.
        let was_connected = self.shown.dtls == DtlsState::Connected;
        let has_spoken = state == DtlsState::Closed && !was_connected && !self.unclaimed.is_empty();
        if state == DtlsState::Connected || has_spoken {
            self.dtls_connected(now);
        }
        match state {
            DtlsState::Closed | DtlsState::Failed => {
                // An ABORT that came just before says more than the end of what carried it.
                while self.pump_control(now) {}
                self.report_dtls(state);
                let error = self.dtls.error().cloned();
                self.end_sctp(error);
            }
            DtlsState::Connecting => self.report_dtls(state),
            DtlsState::New | DtlsState::Connected => {}
        }
    }

    fn dtls_connected(&mut self, now: Instant) {
        if self.shown.dtls == DtlsState::New {
            // Both flights were waiting: the application still sees every state.
            self.report_dtls(DtlsState::Connecting);
        }
        self.report_dtls(DtlsState::Connected);
        self.start_sctp(now);
        self.update_media(now);
    }

    fn report_dtls(&mut self, state: DtlsState) {
        self.shown.dtls = state;
        self.events.push_back(Event::DtlsState {
            state,
            remote_certificates: self.dtls.remote_certificate().into_iter().cloned().collect(),
            error: self.dtls.error().filter(|_| state == DtlsState::Failed).cloned(),
        });
        self.update_connection();
    }

    pub(super) fn start_sctp(&mut self, now: Instant) {
        let Some(data) = self.transport.as_ref().and_then(|transport| transport.data.as_ref()) else {
            return;
        };
        if self.sctp.is_some() {
            return;
        }
        let max_receive = usize::try_from(self.config.max_message_size).unwrap_or(usize::MAX);
        // Who does not announce it may break at the probes, see `sdp::MAX_PACKET`.
        let max_packet = data.remote_max_packet.and_then(|max| usize::try_from(max).ok());
        let settings = &self.config.sctp;
        let config = ossa_sctp::Config {
            mtu_discovery: settings.mtu_discovery && max_packet.is_some(),
            max_mtu: max_packet.map_or(settings.initial_mtu, |max| settings.max_mtu.min(max)),
            path_inside_host: self.ice.route().is_some_and(|route| self.ice.is_inside_host(route)),
            local_port: self.config.sctp_port,
            remote_port: data.remote_sctp_port,
            max_receive_message_size: if max_receive == 0 { usize::MAX } else { max_receive },
            // Both are checked before a message gets there, where 0 bytes and other channels count correctly.
            max_send_message_size: 0,
            send_buffer_limit: 0,
            ..settings.clone()
        };
        let mut sctp = Association::new(config, self.sctp_seed);
        match &data.remote_sctp_init {
            Some(peer) => sctp.connect_with(now, peer, self.ice.route_pair().and_then(|pair| pair.rtt)),
            None => sctp.connect(now),
        }
        std::mem::take(&mut self.unclaimed).into_iter().for_each(|record| sctp.handle_packet(now, record));
        self.sctp = Some(Box::new(sctp));
    }

    pub(super) fn update_connection(&mut self) {
        let state = self.connection_state();
        if state != self.shown.connection {
            self.shown.connection = state;
            self.events.push_back(Event::ConnectionState(state));
        }
    }

    /// W3C 4.4.3, in the order given there.
    pub(super) fn connection_state(&self) -> ConnectionState {
        if self.closed {
            return ConnectionState::Closed;
        }
        match (self.shown.ice, self.shown.dtls) {
            (IceState::Failed, _) | (_, DtlsState::Failed) => ConnectionState::Failed,
            (IceState::Disconnected, _) => ConnectionState::Disconnected,
            (IceState::New | IceState::Closed, DtlsState::New | DtlsState::Closed) => ConnectionState::New,
            (IceState::Connected | IceState::Completed, DtlsState::Connected | DtlsState::Closed) => {
                ConnectionState::Connected
            }
            _ => ConnectionState::Connecting,
        }
    }

    /// Tells of the association's state, if there is a data section that it is for.
    pub(super) fn report_sctp(&mut self) {
        if self.transport.as_ref().is_some_and(|transport| transport.data.is_some()) {
            let event = self.sctp_event();
            self.events.push_back(event);
        }
    }

    fn sctp_event(&self) -> Event {
        Event::SctpState {
            state: self.sctp_state,
            max_message_size: self.max_message_size(),
            max_channels: self.max_channels(),
        }
    }

    /// `RTCSctpTransport.maxMessageSize`; `None` is no limit.
    pub(super) fn max_message_size(&self) -> Option<u64> {
        let data = self.transport.as_ref()?.data.as_ref()?;
        Some(data.remote_max_message_size).filter(|limit| *limit != 0)
    }

    /// `RTCSctpTransport.maxChannels`, once connected.
    pub(super) fn max_channels(&self) -> Option<u16> {
        let (outgoing, incoming) = self.sctp.as_ref()?.peer_streams()?;
        (self.sctp_state == SctpState::Connected).then_some(outgoing.min(incoming))
    }

    pub(super) fn next_u64(&mut self) -> u64 {
        self.randomness.next_u64()
    }
}
