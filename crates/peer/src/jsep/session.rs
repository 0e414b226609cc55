//! The state of a negotiation, and what can be read from it.

use super::layout::Slot;
use super::local::{Draft, Generation, LocalDescription};
use super::media::Media;
use super::remote::RemoteDescription;
use super::types::{DtlsRole, IceParameters, SdpType, SessionConfig, SessionDescription, SignalingState};
use crate::error::{Error, ErrorKind};
use crate::sdp::{Candidate, Fingerprint, Outline};
use ossa_sctp::InitChunk;
use std::collections::HashSet;

/// One end of a negotiation. It holds text and states only; what has to happen comes back as a
/// [`Change`](super::Change).
///
/// A call that fails changes nothing.
#[derive(Debug)]
pub struct Session {
    pub(super) config: SessionConfig,
    pub(super) state: SignalingState,
    /// A data channel was created since the session has (or last lost) a data section.
    pub(super) channel_created: bool,
    /// The sections as of the last completed round.
    pub(super) slots: Vec<Slot>,
    /// From this number on, mids are new.
    pub(super) next_mid: u32,
    /// The last text that was created, by which the version is counted.
    pub(super) last_outline: Option<Outline>,
    /// [[LastCreatedOffer]]
    pub(super) last_offer: Option<Box<Draft>>,
    /// [[LastCreatedAnswer]]
    pub(super) last_answer: Option<Box<Draft>>,
    pub(super) current_local: Option<LocalDescription>,
    pub(super) pending_local: Option<LocalDescription>,
    pub(super) current_remote: Option<Box<RemoteDescription>>,
    pub(super) pending_remote: Option<Box<RemoteDescription>>,
    /// Local candidates of the current descriptions.
    pub(super) current_ice: Option<Generation>,
    /// Local candidates of the pending description, if it has other credentials.
    pub(super) pending_ice: Option<Generation>,
    /// New credentials that stand in a created but not yet set description.
    pub(super) spare: Option<IceParameters>,
    /// [[LocalIceCredentialsToReplace]]: username fragments and passwords.
    pub(super) to_replace: Vec<(String, String)>,
    /// Username fragment that the transport has been told to gather for.
    pub(super) gathering: Option<String>,
    /// Whether the association goes without a handshake, once that is settled. What a peer has agreed to once, stays.
    pub(super) init_agreed: Option<bool>,
    /// What the transport has been told about the peer.
    pub(super) applied: Option<Applied>,
    /// Audio and video; `None` if they are not to be negotiated.
    pub(super) media: Option<Box<Media>>,
}

/// What the transport has been told about the peer.
#[derive(Clone, Debug)]
pub(super) struct Applied {
    pub(super) remote_ice: IceParameters,
    pub(super) remote_fingerprints: Vec<Fingerprint>,
    pub(super) dtls_role: DtlsRole,
    pub(super) ice_controlling: bool,
    /// Remote candidates of this generation that the transport has.
    pub(super) delivered: HashSet<Candidate>,
    pub(super) end_delivered: bool,
}

impl Session {
    /// A session in the state `stable`, without a data section.
    pub fn new(mut config: SessionConfig) -> Self {
        Self {
            media: config.media.take().map(|media| Box::new(Media::new(media))),
            config,
            state: SignalingState::Stable,
            channel_created: false,
            slots: Vec::new(),
            next_mid: 0,
            last_outline: None,
            last_offer: None,
            last_answer: None,
            current_local: None,
            pending_local: None,
            current_remote: None,
            pending_remote: None,
            current_ice: None,
            pending_ice: None,
            spare: None,
            to_replace: Vec::new(),
            gathering: None,
            init_agreed: None,
            applied: None,
        }
    }

    /// A new association needs a new INIT: to be called after the data section was removed.
    pub fn set_sctp_init(&mut self, init: Option<InitChunk>) {
        self.config.sctp_init = init;
    }

    /// A data channel was created: from now on a data section is needed.
    pub fn add_data_channel(&mut self) {
        self.channel_created = true;
    }

    /// W3C 4.7.3, "check if negotiation is needed". The caller looks at the signaling state itself: the event
    /// fires in `stable` only.
    pub fn negotiation_needed(&self) -> bool {
        if self.state == SignalingState::Closed {
            return false;
        }
        let negotiated = self.slots.iter().any(|slot| slot.data);
        let media = self.media.as_ref().is_some_and(|media| {
            media.negotiation_needed(&self.slots, self.current_local.as_ref(), self.current_remote.as_deref())
        });
        !self.to_replace.is_empty() || (self.channel_created && !negotiated) || media
    }

    /// `restartIce()`: the next offer has new credentials. Without effect before the first negotiation.
    pub fn request_ice_restart(&mut self) {
        if self.state == SignalingState::Closed {
            return;
        }
        let locals = [&self.current_local, &self.pending_local].into_iter().flatten();
        let transports = locals.filter_map(|local| local.outline.transport.as_ref());
        let credentials = transports.map(|transport| (transport.ufrag.clone(), transport.pwd.clone()));
        self.to_replace = credentials.collect();
    }

    /// Nothing is possible after this; the descriptions stay readable.
    pub fn close(&mut self) {
        self.state = SignalingState::Closed;
    }

    /// Gives back room for what is unlikely to come any more.
    pub(crate) fn shrink(&mut self) {
        for remote in [&mut self.current_remote, &mut self.pending_remote].into_iter().flatten() {
            remote.shrink();
        }
        for generation in [&mut self.current_ice, &mut self.pending_ice].into_iter().flatten() {
            generation.candidates.shrink_to_fit();
        }
        if let Some(applied) = &mut self.applied {
            applied.delivered.shrink_to_fit();
        }
    }

    /// `signalingState`.
    pub fn signaling_state(&self) -> SignalingState {
        self.state
    }

    /// `currentLocalDescription`, with the candidates so far.
    pub fn current_local_description(&self) -> Option<SessionDescription> {
        self.current_local.as_ref().map(|local| local.render(self.generations()))
    }

    /// `pendingLocalDescription`, with the candidates so far.
    pub fn pending_local_description(&self) -> Option<SessionDescription> {
        self.pending_local.as_ref().map(|local| local.render(self.generations()))
    }

    /// `localDescription`: the pending one, else the current one.
    pub fn local_description(&self) -> Option<SessionDescription> {
        self.pending_local_description().or_else(|| self.current_local_description())
    }

    /// `currentRemoteDescription`, with the candidates so far.
    pub fn current_remote_description(&self) -> Option<SessionDescription> {
        self.current_remote.as_deref().map(RemoteDescription::to_public)
    }

    /// `pendingRemoteDescription`, with the candidates so far.
    pub fn pending_remote_description(&self) -> Option<SessionDescription> {
        self.pending_remote.as_deref().map(RemoteDescription::to_public)
    }

    /// `remoteDescription`: the pending one, else the current one.
    pub fn remote_description(&self) -> Option<SessionDescription> {
        self.newest_remote().map(RemoteDescription::to_public)
    }

    /// `canTrickleIceCandidates`: unknown before a remote description.
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        self.newest_remote().map(|remote| remote.description.trickle())
    }

    /// Mid of the data section of the newest local description, if it has one.
    pub fn data_mid(&self) -> Option<&str> {
        let local = self.pending_local.as_ref().or(self.current_local.as_ref())?;
        let (index, _) = local.data()?;
        local.outline.sections[index].mid.as_deref()
    }

    /// Mid of the section that carries the transport, and with it our candidates, in the newest local description.
    pub fn transport_mid(&self) -> Option<&str> {
        let local = self.pending_local.as_ref().or(self.current_local.as_ref())?;
        local.outline.sections[local.outline.carrier()?].mid.as_deref()
    }

    /// Whether a data section was agreed in the last completed round.
    pub fn data_negotiated(&self) -> bool {
        self.slots.iter().any(|slot| slot.data)
    }

    /// Credentials of the newest local description.
    pub fn local_ice(&self) -> Option<&IceParameters> {
        self.pending_ice.as_ref().or(self.current_ice.as_ref()).map(|generation| &generation.ice)
    }

    /// Credentials of the newest remote description (`RTCIceTransport.getRemoteParameters()`).
    pub fn remote_ice(&self) -> Option<&IceParameters> {
        let newest = self.newest_remote().and_then(|remote| remote.transport.as_ref());
        newest
            .map(|transport| &transport.ice)
            .or_else(|| self.applied.as_ref().map(|applied| &applied.remote_ice))
    }

    /// Our DTLS role, once it is negotiated.
    pub fn dtls_role(&self) -> Option<DtlsRole> {
        self.applied.as_ref().map(|applied| applied.dtls_role)
    }

    pub(super) fn newest_remote(&self) -> Option<&RemoteDescription> {
        self.pending_remote.as_deref().or(self.current_remote.as_deref())
    }

    pub(super) fn generations(&self) -> impl Iterator<Item = &Generation> {
        self.current_ice.iter().chain(self.pending_ice.iter())
    }

    /// The error of a call that the present state does not allow.
    pub(super) fn wrong_state(&self, call: &str) -> Error {
        let message = format!("{call} is not possible in the signaling state \"{}\"", self.state.as_str());
        Error::new(ErrorKind::InvalidState, message)
    }
}

impl RemoteDescription {
    fn to_public(&self) -> SessionDescription {
        SessionDescription { kind: self.kind, sdp: self.description.text().to_owned() }
    }
}

/// Name of a call that sets a description, for messages.
pub(super) fn setter(side: &str, kind: SdpType) -> String {
    format!("set{side}Description({})", kind.as_str())
}
