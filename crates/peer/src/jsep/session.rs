//! The state machine of offers and answers.

use super::types::{
    CandidateInit, CandidatePlace, Change, IceParameters, RemoteCandidate, SdpType, SessionConfig,
    SessionDescription, SignalingState,
};
use crate::error::{Error, ErrorKind};

/// One end of a negotiation. It holds text and states only; what has to happen comes back as a [`Change`].
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    state: SignalingState,
    wants_data: bool,
}

impl Session {
    /// A session in the state `stable`, without a data section.
    pub fn new(config: SessionConfig) -> Self {
        let wants_data = config.always_negotiate;
        Self { config, state: SignalingState::Stable, wants_data }
    }

    /// A data channel was created: from now on a data section is needed.
    pub fn add_data_channel(&mut self) {
        self.wants_data = true;
    }

    /// W3C 4.7.3, "check if negotiation is needed".
    pub fn negotiation_needed(&self) -> bool {
        self.wants_data
    }

    /// `restartIce()`: the next offer has new credentials.
    pub fn request_ice_restart(&mut self) {}

    /// `createOffer()`. `fresh` is used if new credentials are needed.
    ///
    /// # Errors
    /// `InvalidStateError` when closed.
    pub fn create_offer(&mut self, ice_restart: bool, fresh: IceParameters) -> Result<String, Error> {
        let _ = (ice_restart, fresh, &self.config);
        Err(unavailable())
    }

    /// `createAnswer()`. `fresh` is used if new credentials are needed.
    ///
    /// # Errors
    /// `InvalidStateError` without a pending remote offer.
    pub fn create_answer(&mut self, fresh: IceParameters) -> Result<String, Error> {
        let _ = fresh;
        Err(unavailable())
    }

    /// `setLocalDescription()`. An empty `sdp` stands for the last created offer or answer.
    ///
    /// # Errors
    /// As W3C 4.4.1.5.
    pub fn set_local(&mut self, kind: SdpType, sdp: &str) -> Result<Change, Error> {
        let _ = (kind, sdp);
        Err(unavailable())
    }

    /// `setRemoteDescription()`.
    ///
    /// # Errors
    /// As W3C 4.4.1.5.
    pub fn set_remote(&mut self, kind: SdpType, sdp: &str) -> Result<Change, Error> {
        let _ = (kind, sdp);
        Err(unavailable())
    }

    /// Adds a gathered candidate (`candidate:...`) of the generation `ufrag` to the local descriptions.
    ///
    /// `None` if no local description has that generation any more.
    pub fn add_local_candidate(&mut self, line: &str, ufrag: &str) -> Option<CandidatePlace> {
        let _ = (line, ufrag);
        None
    }

    /// Gathering for the generation `ufrag` is complete.
    ///
    /// `None` if no local description has that generation any more.
    pub fn end_of_local_candidates(&mut self, ufrag: &str) -> Option<CandidatePlace> {
        let _ = ufrag;
        None
    }

    /// `addIceCandidate()`.
    ///
    /// # Errors
    /// As W3C 4.4.2.
    pub fn add_remote_candidate(&mut self, init: &CandidateInit) -> Result<RemoteCandidate, Error> {
        let _ = init;
        Err(unavailable())
    }

    /// Nothing is possible after this.
    pub fn close(&mut self) {
        self.state = SignalingState::Closed;
    }

    /// `signalingState`.
    pub fn signaling_state(&self) -> SignalingState {
        self.state
    }

    /// `currentLocalDescription`, with the candidates so far.
    pub fn current_local_description(&self) -> Option<SessionDescription> {
        None
    }

    /// `pendingLocalDescription`, with the candidates so far.
    pub fn pending_local_description(&self) -> Option<SessionDescription> {
        None
    }

    /// `currentRemoteDescription`, with the candidates so far.
    pub fn current_remote_description(&self) -> Option<SessionDescription> {
        None
    }

    /// `pendingRemoteDescription`, with the candidates so far.
    pub fn pending_remote_description(&self) -> Option<SessionDescription> {
        None
    }

    /// `localDescription`: the pending one, else the current one.
    pub fn local_description(&self) -> Option<SessionDescription> {
        self.pending_local_description().or_else(|| self.current_local_description())
    }

    /// `canTrickleIceCandidates`: unknown before a remote description.
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        None
    }

    /// Mid of the data section, if there is one.
    pub fn data_mid(&self) -> Option<&str> {
        None
    }
}

fn unavailable() -> Error {
    Error::new(ErrorKind::InvalidState, "there is no description")
}
