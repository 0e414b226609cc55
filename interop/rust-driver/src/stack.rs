//! What a stack implements.

use std::future::Future;

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::connection::{CandidateInit, Events};
use crate::message::Kind;

/// `RTCDataChannelInit` as W3C writes it in JSON.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Init {
    /// Whether messages keep their order; `None` for the default, yes.
    pub ordered: Option<bool>,
    /// How long a message is sent again, in milliseconds.
    pub max_packet_life_time: Option<u16>,
    /// How often a message is sent again.
    pub max_retransmits: Option<u16>,
    /// The subprotocol.
    pub protocol: String,
    /// Whether both sides make the channel, with the same `id`.
    pub negotiated: bool,
    /// The SCTP stream of a negotiated channel.
    pub id: u16,
}

impl Init {
    /// The stream that both sides have agreed on outside of the connection.
    pub fn negotiated_id(&self) -> Option<u16> {
        self.negotiated.then_some(self.id)
    }
}

/// What a stack shows of an open channel, in the words of W3C's `RTCDataChannel`; what it does not show is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the attributes of RTCDataChannel")]
pub struct View {
    pub label: String,
    pub protocol: String,
    pub ordered: bool,
    pub max_retransmits: Option<u16>,
    pub max_packet_life_time: Option<u16>,
    pub negotiated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u16>,
}

/// A WebRTC stack.
pub trait Stack: Send + Sync + 'static {
    /// A connection of this stack.
    type Peer: Peer;

    /// Name and version, for reports.
    fn about(&self) -> (&'static str, &'static str);

    /// A new connection, which tells its candidates and the channels of the other side to `events`.
    fn open(
        &self,
        events: Events<<Self::Peer as Peer>::Channel>,
    ) -> impl Future<Output = Result<Self::Peer, Failure>> + Send;
}

/// One connection: the calls of `RTCPeerConnection`.
pub trait Peer: Send + Sync + 'static {
    /// A channel of this stack.
    type Channel: Channel;

    /// Makes an offer and sets it as the local description; gives its SDP.
    fn create_offer(&self, ice_restart: bool) -> impl Future<Output = Result<String, Failure>> + Send;

    /// Takes an offer, sets the answer to it as the local description, and gives its SDP.
    fn accept_offer(&self, sdp: String) -> impl Future<Output = Result<String, Failure>> + Send;

    /// Takes the answer to the offer of before.
    fn accept_answer(&self, sdp: String) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Takes a candidate of the other side.
    fn add_candidate(&self, init: CandidateInit) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Makes a channel and attaches it to the slot of its label; before or after negotiation.
    fn create_channel(&self, label: &str, init: Init) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Closes the connection.
    fn close(&self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// One data channel.
pub trait Channel: Send + Sync + 'static {
    /// What the stack shows of it.
    fn view(&self) -> impl Future<Output = Result<View, Failure>> + Send;

    /// Sends a message; waits while the stack has no room for it, by the best means that the stack has.
    fn send(&self, kind: Kind, data: &[u8]) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Closes the channel.
    fn close(&self) -> impl Future<Output = Result<(), Failure>> + Send;
}
