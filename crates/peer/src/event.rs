//! What a connection tells its owner.

use bytes::Bytes;
use ossa_media::MediaEvent;

use crate::channels::{ChannelError, ChannelId, ChannelInfo, MessageKind};
use crate::ice::{IceCandidateError, RelayProtocol, ResolveCandidate, SelectedPair};
use crate::jsep::{IceParameters, TrackChange, TransceiverId};
use crate::rtc_error::RtcError;
use crate::states::{ConnectionState, DtlsState, GatheringState, IceState, SctpState};

/// Events come in the order in which they happened. The signaling state is not among them: it changes inside calls,
/// and the caller sees it in the snapshot afterwards.
#[derive(Debug, Clone)]
pub enum Event {
    /// Start gathering candidates (again) for this generation; generations only grow and replace each other.
    Gather {
        /// To be given back with every candidate.
        generation: u32,
        /// Our ICE credentials of this generation.
        parameters: IceParameters,
    },
    /// A remote candidate has a host name.
    ResolveCandidate(ResolveCandidate),
    /// A local candidate to be signaled (`icecandidate`).
    IceCandidate {
        /// ICE generation that it belongs to. Of no use to anybody once that is not the [newest](crate::Snapshot::ice_generation) any more.
        generation: u32,
        /// The [count](crate::Snapshot::descriptions) of descriptions when `local_description` was the newest.
        descriptions: u32,
        /// `candidate:...`.
        candidate: String,
        /// `sdpMid`.
        mid: String,
        /// `sdpMLineIndex`.
        m_line_index: u16,
        /// `usernameFragment`.
        ufrag: String,
        /// Server it came from.
        url: Option<String>,
        /// Transport to the TURN server.
        relay_protocol: Option<RelayProtocol>,
        /// The local description including this candidate.
        local_description: String,
    },
    /// All candidates of a generation are known: signaled as an empty candidate string.
    EndOfCandidates {
        /// As above.
        generation: u32,
        /// As above.
        descriptions: u32,
        /// `sdpMid`.
        mid: String,
        /// `sdpMLineIndex`.
        m_line_index: u16,
        /// `usernameFragment`.
        ufrag: String,
        /// The local description including `a=end-of-candidates`.
        local_description: String,
    },
    /// A server gave no candidate (`icecandidateerror`).
    IceCandidateError(IceCandidateError),
    /// `iceGatheringState` of the connection and `gatheringState` of its ICE transport.
    IceGatheringState {
        /// ICE generation whose gathering it is; 0 for none.
        generation: u32,
        /// New state.
        state: GatheringState,
    },
    /// `RTCIceTransport.state`.
    IceTransportState(IceState),
    /// `iceConnectionState`.
    IceConnectionState(IceState),
    /// `connectionState`.
    ConnectionState(ConnectionState),
    /// Another pair is in use (`selectedcandidatepairchange`).
    SelectedPair(Box<SelectedPair>),
    /// The path in use led through a TURN server that has forgotten us. There is another allocation, but the peer can't be reached from there:
    /// an ICE restart helps, and nothing else.
    PathLost,
    /// `RTCDtlsTransport.state`.
    DtlsState {
        /// New state.
        state: DtlsState,
        /// Certificates of the peer in DER, leaf first, once known.
        remote_certificates: Vec<Bytes>,
        /// Why, if the state is `failed`.
        error: Option<RtcError>,
    },
    /// `RTCSctpTransport.state`.
    SctpState {
        /// New state.
        state: SctpState,
        /// Largest message that may be sent, in bytes; `None` is no limit.
        max_message_size: Option<u64>,
        /// Number of channels that can be open at once, once connected.
        max_channels: Option<u16>,
    },
    /// The peer has created a channel (`datachannel`). [`Event::ChannelOpen`] follows.
    ChannelAnnounced {
        /// Our handle.
        id: ChannelId,
        /// Its attributes.
        info: ChannelInfo,
    },
    /// The channel can be used.
    ChannelOpen {
        /// Our handle.
        id: ChannelId,
        /// `RTCDataChannel.id`.
        stream_id: u16,
    },
    /// The peer is closing the channel.
    ChannelClosing {
        /// Our handle.
        id: ChannelId,
    },
    /// The channel is closed for good.
    ChannelClosed {
        /// Our handle.
        id: ChannelId,
        /// Set if it was not closed by either side's `close()`.
        error: Option<ChannelError>,
    },
    /// A message has arrived.
    Message {
        /// Our handle.
        id: ChannelId,
        /// Text or binary. Text is not checked for valid UTF-8 here.
        kind: MessageKind,
        /// The payload.
        data: Bytes,
    },
    /// A description has changed what is received (`track`, `removetrack`), or has ended a transceiver.
    Track(TrackChange),
    /// What is sent or received of audio and video, or whether anything can be, may have changed: see
    /// [`Connection::media_parameters`](crate::Connection::media_parameters).
    MediaChanged,
    /// Audio and video have come, or something about them was told. Senders and receivers have the number of their transceiver.
    Media(Box<MediaEvent>),
    /// Media does not flow where both descriptions say that it does.
    MediaFault {
        /// Where; `None` for all of the connection.
        transceiver: Option<TransceiverId>,
        /// Why, for people.
        message: String,
    },
    /// Bytes of a channel have left the send buffer.
    Released {
        /// Our handle.
        id: ChannelId,
        /// How many since the last event.
        bytes: usize,
    },
}
