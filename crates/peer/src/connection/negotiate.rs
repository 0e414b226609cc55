//! Offers and answers, and what they do to the transports.

use std::time::Instant;

use super::diagnosis::Faults;
use super::{Connection, init_chunk, new_ice};
use crate::config::IceTransportPolicy;
use crate::dtls::DtlsTransport;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::jsep::{Change, SdpType, SignalingState, TransportParameters};
use crate::states::SctpState;

impl Connection {
    /// `createOffer()`.
    ///
    /// # Errors
    /// `InvalidStateError` when closed, and while an offer of the peer is pending.
    pub fn create_offer(&mut self, now: Instant, ice_restart: bool) -> Result<String, Error> {
        let _ = now;
        self.intact()?;
        let fresh = self.fresh_ice();
        self.session.create_offer(ice_restart, fresh)
    }

    /// `createAnswer()`.
    ///
    /// # Errors
    /// `InvalidStateError` without a pending offer of the peer.
    pub fn create_answer(&mut self, now: Instant) -> Result<String, Error> {
        let _ = now;
        self.intact()?;
        let fresh = self.fresh_ice();
        self.session.create_answer(fresh)
    }

    /// `setLocalDescription()`. An empty `sdp` stands for the last created offer or answer; if there is none that
    /// fits the present state, one is created.
    ///
    /// # Errors
    /// As W3C 4.4.1.5: `InvalidStateError`, `InvalidModificationError`.
    pub fn set_local_description(&mut self, now: Instant, kind: SdpType, sdp: &str) -> Result<(), Error> {
        self.intact()?;
        if sdp.is_empty() {
            let fresh = self.fresh_ice();
            self.session.ensure_created(kind, fresh)?;
        }
        let change = self.session.set_local(kind, sdp)?;
        if kind == SdpType::Offer && self.ice.controlling.is_none() {
            // The offerer controls (RFC 8445 section 6.1.1), unless it is lite. An answer by a lite agent would not change that.
            self.ice.set_controlling(!self.config.ice.lite);
        }
        self.apply(now, change);
        Ok(())
    }

    /// Kind of description that `setLocalDescription()` without an argument sets in the present state.
    pub fn implicit_kind(&self) -> SdpType {
        self.session.implicit_kind()
    }

    /// `setRemoteDescription()`. An offer takes the place of a pending offer of ours (implicit rollback).
    ///
    /// # Errors
    /// As W3C 4.4.1.5: `InvalidStateError`, a syntax error with its line, `InvalidAccessError`.
    pub fn set_remote_description(&mut self, now: Instant, kind: SdpType, sdp: &str) -> Result<(), Error> {
        self.intact()?;
        let change = self.session.set_remote(kind, sdp)?;
        self.apply(now, change);
        Ok(())
    }

    /// `restartIce()`: the next offer has new ICE credentials.
    pub fn restart_ice(&mut self) {
        if self.broken.is_none() {
            self.session.request_ice_restart();
        }
    }

    /// Whether `negotiationneeded` is due (W3C 4.7.3).
    pub fn negotiation_needed(&self) -> bool {
        self.broken.is_none() && self.session.negotiation_needed()
    }

    /// `setConfiguration()` with another `iceTransportPolicy`: takes effect with the next gathering.
    ///
    /// # Errors
    /// `InvalidStateError` when closed.
    pub fn set_ice_transport_policy(&mut self, policy: IceTransportPolicy) -> Result<(), Error> {
        if self.session.signaling_state() == SignalingState::Closed {
            return Err(Error::new(ErrorKind::InvalidState, "the connection is closed"));
        }
        self.intact()?;
        self.config.ice_transport_policy = policy;
        self.ice.set_policy(policy);
        Ok(())
    }

    /// Does what a description asks of the transports.
    fn apply(&mut self, now: Instant, change: Change) {
        self.descriptions = self.descriptions.wrapping_add(1);
        if change.restored_ice.is_some() {
            self.rollback_ice();
        }
        if change.data_section_removed {
            self.drop_association(change.rolled_back);
        }
        if change.transport_removed {
            self.drop_transport();
        }
        if change.data_section_removed || change.transport_removed {
            self.update(now);
        }
        if let Some(parameters) = &change.transport {
            self.ice.set_controlling(parameters.ice_controlling);
        }
        if let Some(parameters) = change.gather {
            let generation = self.ice.begin(now, parameters.clone());
            self.faults = Faults::default();
            self.events.push_back(Event::Gather { generation, parameters });
        }
        if let Some(parameters) = change.transport {
            self.start_transport(now, parameters);
        }
        if let Some(remote) = change.remote_ice
            && let Some(generation) = self.ice.newest_mut()
        {
            generation.set_remote(now, remote);
        }
        self.inherit_remote(now);
        for candidate in change.remote_candidates {
            self.add_remote_candidate(now, candidate);
        }
        if change.remote_end_of_candidates
            && let Some(generation) = self.ice.newest_mut()
        {
            generation.end_of_candidates(now);
        }
        self.kick(now);
        if change.media {
            self.update_media(now);
        }
        self.events.extend(change.tracks.into_iter().map(Event::Track));
    }

    /// The generation of before is in force again. Its gathering may have been broken off by the one that goes.
    fn rollback_ice(&mut self) {
        self.ice.rollback();
        if let Some(restored) = self.ice.newest().filter(|generation| !generation.gathering_done) {
            let (generation, parameters) = (restored.number, restored.local.clone());
            self.events.push_back(Event::Gather { generation, parameters });
        }
    }

    /// A restart that the peer answers with its old credentials (some stacks do) goes on with those.
    fn inherit_remote(&mut self, now: Instant) {
        let stable = self.session.signaling_state() == SignalingState::Stable;
        if let (true, Some(remote)) = (stable, self.session.remote_ice().cloned())
            && let Some(generation) = self.ice.newest_mut().filter(|g| !g.started())
        {
            generation.set_remote(now, remote);
        }
    }

    /// Both descriptions are known.
    fn start_transport(&mut self, now: Instant, parameters: TransportParameters) {
        self.dtls.set_parameters(parameters.dtls_role, parameters.remote_fingerprints.clone());
        let role = self.dtls.role().unwrap_or(parameters.dtls_role);
        self.channels.set_role(role);
        if let Some(data) = &parameters.data {
            self.channels.set_max_send_size(data.remote_max_message_size);
            // Only our own stack announces the size of its packets.
            self.channels.set_grants_grace(data.remote_max_packet.is_none());
        }
        self.transport = Some(parameters);
        if self.dtls.is_connected() && self.sctp_state == SctpState::Connecting {
            // Data that comes to a transport that audio and video have had to themselves.
            self.start_sctp(now);
        }
    }

    /// There is no section in use any more.
    fn drop_transport(&mut self) {
        self.ice.close();
        self.dtls.close(&mut self.rx);
        let tie_breaker = self.next_u64();
        let mut ice = new_ice(&self.config, tie_breaker);
        ice.continue_numbers(&self.ice);
        self.ice = ice;
        if let Ok(dtls) = DtlsTransport::new(&self.config.dtls, self.config.certificate.clone()) {
            // The same settings were good enough the first time.
            self.dtls = dtls;
            self.dtls.export_srtp_keys(self.config.media.is_some());
        }
        if let Some(media) = &mut self.media {
            media.forget_transport();
        }
        self.transport = None;
        self.unresolved.clear();
    }

    /// There is no data section any more.
    fn drop_association(&mut self, keep_channels: bool) {
        self.sctp = None;
        self.ending = None;
        self.sctp_state = SctpState::Connecting;
        if !keep_channels {
            self.channels.close_all(None);
            // A description that was withdrawn may be set again, so its INIT stays good; but one of an association that has
            // been is not for the next.
            self.randomness.fill_bytes(&mut self.sctp_seed);
            self.session.set_sctp_init(init_chunk(&self.config, self.sctp_seed));
        }
        self.channels.transport_gone();
    }
}
