// The enumerations of webrtc-pc: a list for the conversion and a type for TypeScript.

export const ICE_TRANSPORT_POLICIES = ['relay', 'all'] as const;
/** Which candidates ICE may use. */
export type RTCIceTransportPolicy = (typeof ICE_TRANSPORT_POLICIES)[number];

export const BUNDLE_POLICIES = ['balanced', 'max-compat', 'max-bundle'] as const;
/** How media sections share transports; with data alone there is one transport anyway. */
export type RTCBundlePolicy = (typeof BUNDLE_POLICIES)[number];

export const RTCP_MUX_POLICIES = ['require'] as const;
/** RTP and RTCP always share a transport. */
export type RTCRtcpMuxPolicy = (typeof RTCP_MUX_POLICIES)[number];

export const SDP_TYPES = ['offer', 'pranswer', 'answer', 'rollback'] as const;
/** Kind of a session description. */
export type RTCSdpType = (typeof SDP_TYPES)[number];

/** State of offer and answer. */
export type RTCSignalingState =
  'stable' | 'have-local-offer' | 'have-remote-offer' | 'have-local-pranswer' | 'have-remote-pranswer' | 'closed';

/** Whether candidates are being gathered. */
export type RTCIceGatheringState = 'new' | 'gathering' | 'complete';
/** The same, for one transport. */
export type RTCIceGathererState = RTCIceGatheringState;

/** State of a connection as a whole: ICE and DTLS together. */
export type RTCPeerConnectionState = 'closed' | 'failed' | 'disconnected' | 'new' | 'connecting' | 'connected';

/** State of ICE, over all transports of a connection. */
export type RTCIceConnectionState =
  'closed' | 'failed' | 'disconnected' | 'new' | 'checking' | 'completed' | 'connected';
/** State of ICE, of one transport. */
export type RTCIceTransportState = RTCIceConnectionState;

/** Who nominates pairs. */
export type RTCIceRole = 'unknown' | 'controlling' | 'controlled';

export const ICE_COMPONENTS = ['rtp', 'rtcp'] as const;
/** Component of a candidate; data uses `rtp`. */
export type RTCIceComponent = (typeof ICE_COMPONENTS)[number];

export const ICE_PROTOCOLS = ['udp', 'tcp'] as const;
/** Transport protocol of a candidate. */
export type RTCIceProtocol = (typeof ICE_PROTOCOLS)[number];

export const ICE_TCP_CANDIDATE_TYPES = ['active', 'passive', 'so'] as const;
/** Who opens the TCP connection. */
export type RTCIceTcpCandidateType = (typeof ICE_TCP_CANDIDATE_TYPES)[number];

export const ICE_CANDIDATE_TYPES = ['host', 'srflx', 'prflx', 'relay'] as const;
/** Where a candidate comes from. */
export type RTCIceCandidateType = (typeof ICE_CANDIDATE_TYPES)[number];

export const ICE_SERVER_TRANSPORT_PROTOCOLS = ['udp', 'tcp', 'tls'] as const;
/** How a relayed candidate talks to its TURN server. */
export type RTCIceServerTransportProtocol = (typeof ICE_SERVER_TRANSPORT_PROTOCOLS)[number];

/** State of a DTLS transport. */
export type RTCDtlsTransportState = 'new' | 'connecting' | 'connected' | 'closed' | 'failed';
/** State of an SCTP transport. */
export type RTCSctpTransportState = 'connecting' | 'connected' | 'closed';
/** State of a data channel. */
export type RTCDataChannelState = 'connecting' | 'open' | 'closing' | 'closed';

export const PRIORITY_TYPES = ['very-low', 'low', 'medium', 'high'] as const;
/** Weight of a channel among those of its connection (WebRTC Priority Control API, section 5). */
export type RTCPriorityType = (typeof PRIORITY_TYPES)[number];

export const BINARY_TYPES = ['blob', 'arraybuffer'] as const;
/** Type in which binary messages arrive. */
export type BinaryType = (typeof BINARY_TYPES)[number];

export const ERROR_DETAIL_TYPES = [
  'data-channel-failure',
  'dtls-failure',
  'fingerprint-failure',
  'sctp-failure',
  'sdp-syntax-error',
  'hardware-encoder-not-available',
  'hardware-encoder-error',
] as const;
/** What an {@link RTCError} is about. */
export type RTCErrorDetailType = (typeof ERROR_DETAIL_TYPES)[number];

export const TRANSCEIVER_DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive', 'stopped'] as const;
/** Which way a transceiver sends; `stopped` for one that is over. */
export type RTCRtpTransceiverDirection = (typeof TRANSCEIVER_DIRECTIONS)[number];
