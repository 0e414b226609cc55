// Senders, receivers and transceivers of a connection, and the events of their tracks. Knows neither descriptions nor the classes of
// connections: what it needs of one is `MediaHost`. What is negotiated, the core decides.
export { convertTransceiverInit, kindOf, type RTCRtpTransceiverInit } from './init';
export { PeerMedia } from './peer-media';
export type { MediaHost } from './host';
export type { RemoteChanges } from './remote-changes';
export { isSender, RTCRtpSender } from './sender';
export { RTCRtpReceiver } from './receiver';
export { RTCRtpTransceiver } from './transceiver';
export {
  RTCDTMFSender,
  RTCDTMFToneChangeEvent,
  type RTCDTMFSenderEventMap,
  type RTCDTMFToneChangeEventInit,
} from './dtmf';
export { RTCTrackEvent, type RTCTrackEventInit } from './track-event';
export type { MediaFaultEvent } from './fault-event';
export type {
  RTCRtcpParameters,
  RTCRtpCapabilities,
  RTCRtpCodec,
  RTCRtpCodecParameters,
  RTCRtpContributingSource,
  RTCRtpEncodingParameters,
  RTCRtpHeaderExtensionCapability,
  RTCRtpHeaderExtensionParameters,
  RTCRtpParameters,
  RTCRtpReceiveParameters,
  RTCRtpSendParameters,
  RTCRtpSynchronizationSource,
  RTCSetParameterOptions,
} from './parameters';
