import type { RTCDataChannelEvent } from '../channel';
import type { RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent } from '../descriptions';
import type { MediaFaultEvent, RTCTrackEvent } from '../media';

/** Events of {@link RTCPeerConnection}. */
export interface RTCPeerConnectionEventMap {
  /** An offer should be made. */
  negotiationneeded: Event;
  /** A local candidate is to be signaled. */
  icecandidate: RTCPeerConnectionIceEvent;
  /** A STUN or TURN server, or an address of this machine, could not be used. */
  icecandidateerror: RTCPeerConnectionIceErrorEvent;
  /**
   * Not in the standard: the path in use led through a TURN server that has forgotten this connection, and the other side cannot be reached from
   * the new allocation without signaling. `restartIce()` helps, and nothing else does.
   */
  pathlost: Event;
  /** `signalingState` has changed. */
  signalingstatechange: Event;
  /** `iceConnectionState` has changed. */
  iceconnectionstatechange: Event;
  /** `iceGatheringState` has changed. */
  icegatheringstatechange: Event;
  /** `connectionState` has changed. */
  connectionstatechange: Event;
  /**
   * Not in the standard: audio or video does not flow where it should, for a reason that was not told before. The event has it as its `cause`, and
   * `connectionCauses()` has all of them, of the kind `media-refused`.
   */
  mediafault: MediaFaultEvent;
  /** The peer sends a track. */
  track: RTCTrackEvent;
  /** The peer has created a channel. */
  datachannel: RTCDataChannelEvent;
}
