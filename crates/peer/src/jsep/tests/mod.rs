//! Tests of the negotiation.

mod bundle;
mod candidates;
mod errors;
mod media;
mod random;
mod rounds;
mod sctp_init;
mod stacks;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ossa_sctp::{Association, InitChunk};

use super::*;
use crate::error::{Error, ErrorKind};
use crate::sdp::Fingerprint;

pub(super) const SHA256: &str = "sha-256 \
     00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

/// A session, and a source of credentials that makes them readable in a failing test.
pub(super) struct Peer {
    pub(super) session: Session,
    name: char,
    generation: u32,
}

impl Peer {
    pub(super) fn new(name: char) -> Self {
        Self::with(name, None)
    }

    pub(super) fn with(name: char, media: Option<MediaConfig>) -> Self {
        let fingerprint = Fingerprint::parse(SHA256).unwrap();
        let config = SessionConfig {
            fingerprints: vec![Fingerprint { value: vec![name as u8; 32], ..fingerprint }],
            max_message_size: 262_144,
            sctp_port: 5000,
            sctp_init: Some(init(name)),
            session_id: 4_962_303_333_179_871_722,
            always_negotiate: false,
            media,
        };
        Self { session: Session::new(config), name, generation: 0 }
    }

    /// One that has created a data channel.
    pub(super) fn with_channel(name: char) -> Self {
        let mut peer = Self::new(name);
        peer.session.add_data_channel();
        peer
    }

    pub(super) fn fresh(&mut self) -> IceParameters {
        self.generation += 1;
        let ufrag = format!("{}{:03}", self.name, self.generation);
        IceParameters { pwd: format!("{ufrag}/password+of/22chars"), ufrag, ice_lite: false }
    }

    pub(super) fn offer(&mut self) -> String {
        let fresh = self.fresh();
        self.session.create_offer(false, fresh).unwrap()
    }

    pub(super) fn restart_offer(&mut self) -> String {
        let fresh = self.fresh();
        self.session.create_offer(true, fresh).unwrap()
    }

    pub(super) fn answer(&mut self) -> String {
        let fresh = self.fresh();
        self.session.create_answer(fresh).unwrap()
    }

    /// Creates and sets an offer.
    pub(super) fn set_offer(&mut self) -> (String, Change) {
        let sdp = self.offer();
        let change = self.session.set_local(SdpType::Offer, &sdp).unwrap();
        (sdp, change)
    }

    /// Creates and sets an answer.
    pub(super) fn set_answer(&mut self) -> (String, Change) {
        let sdp = self.answer();
        let change = self.session.set_local(SdpType::Answer, &sdp).unwrap();
        (sdp, change)
    }

    pub(super) fn remote(&mut self, kind: SdpType, sdp: &str) -> Change {
        self.session.set_remote(kind, sdp).unwrap()
    }

    pub(super) fn remote_error(&mut self, kind: SdpType, sdp: &str) -> Error {
        let before = format!("{:?}", self.session);
        let error = self.session.set_remote(kind, sdp).unwrap_err();
        assert_eq!(before, format!("{:?}", self.session), "a failed call changes nothing");
        error
    }

    pub(super) fn state(&self) -> &'static str {
        self.session.signaling_state().as_str()
    }

    pub(super) fn candidate(&mut self, mid: &str, line: &str) -> Result<RemoteCandidate, Error> {
        self.session.add_remote_candidate(&CandidateInit {
            candidate: line.to_owned(),
            sdp_mid: Some(mid.to_owned()),
            ..CandidateInit::default()
        })
    }
}

/// An INIT that no one else has.
pub(super) fn init(name: char) -> InitChunk {
    Association::new(ossa_sctp::Config::default(), [name as u8; 32]).init_chunk()
}

/// A whole round; returns what the transports of the offerer and the answerer have to do at its end.
pub(super) fn negotiate(offerer: &mut Peer, answerer: &mut Peer) -> (Change, Change) {
    let (offer, _) = offerer.set_offer();
    finish(offerer, answerer, &offer)
}

/// The round after the offer was set locally.
pub(super) fn finish(offerer: &mut Peer, answerer: &mut Peer, offer: &str) -> (Change, Change) {
    answerer.remote(SdpType::Offer, offer);
    let (answer, at_answerer) = answerer.set_answer();
    (offerer.remote(SdpType::Answer, &answer), at_answerer)
}

pub(super) fn kind(result: Result<impl std::fmt::Debug, Error>) -> ErrorKind {
    result.unwrap_err().kind
}
