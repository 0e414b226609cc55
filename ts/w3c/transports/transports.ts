import type { NativeCandidate, PeerSnapshot } from '../../native';
import { iceCandidates, iceParameters, maxMessageSize, RTCIceCandidate } from '../descriptions';
import type { RTCIceConnectionState, RTCPeerConnectionState } from '../enums';
import { createDtlsTransport, type DtlsTransportSlots, type RTCDtlsTransport } from './dtls';
import { createCandidatePair, createIceTransport, type IceTransportSlots, type RTCIceTransport } from './ice';
import { createSctpTransport, type RTCSctpTransport, type SctpTransportSlots } from './sctp';

/** Most bytes that one message can have: both ends hold it in memory as a whole. */
const CAN_SEND_SIZE = 256 * 1024 * 1024;

/** The transports of a connection, which live and die together: all sections go over one DTLS over one ICE, and data over one association on it. */
export class Transports {
  /** Script sees the association only while there is data. */
  hasData = false;
  readonly ice: IceTransportSlots = {
    role: 'unknown',
    state: 'new',
    gatheringState: 'new',
    localCandidates: [],
    remoteCandidates: [],
    selectedPair: null,
    localParameters: null,
    remoteParameters: null,
  };
  readonly iceTransport: RTCIceTransport = createIceTransport(this.ice);
  readonly dtls: DtlsTransportSlots = { iceTransport: this.iceTransport, state: 'new', remoteCertificates: [] };
  readonly dtlsTransport: RTCDtlsTransport = createDtlsTransport(this.dtls);
  readonly sctp: SctpTransportSlots = {
    transport: this.dtlsTransport,
    state: 'connecting',
    maxMessageSize: null,
    maxChannels: null,
  };
  readonly sctpTransport: RTCSctpTransport = createSctpTransport(this.sctp);

  /** Takes over what a change of the descriptions has negotiated. */
  negotiated(snapshot: PeerSnapshot): void {
    const remote = snapshot.pendingRemoteDescription ?? snapshot.currentRemoteDescription;
    if (snapshot.ice) this.ice.role = snapshot.ice.role;
    // An answer settles it (webrtc-pc 6.1.1, "update the data max message size"); a later offer alone changes nothing.
    const { currentRemoteDescription: settled } = snapshot;
    const answered = remote?.type === 'answer' || remote?.type === 'pranswer' ? remote : settled;
    if (answered) this.maxMessageSize(snapshot.sctp?.maxMessageSize ?? maxMessageSize(answered.sdp));
    this.#localParameters(snapshot);
    this.ice.remoteParameters = remote ? iceParameters(remote.sdp) : null;
    this.remoteCandidates(snapshot);
  }

  /** The largest message that the peer takes; 0 or `Infinity` if it sets no limit, but we do. */
  maxMessageSize(size: number): void {
    this.sctp.maxMessageSize = Math.min(size || Infinity, CAN_SEND_SIZE);
  }

  /** Candidates are kept for the generations that are described: a restart may be rolled back. */
  #localParameters({ pendingLocalDescription, currentLocalDescription }: PeerSnapshot): void {
    const generations = [pendingLocalDescription, currentLocalDescription].map((one) => one && iceParameters(one.sdp));
    this.ice.localParameters = generations[0] ?? generations[1] ?? null;
    this.ice.localCandidates = this.ice.localCandidates.filter(({ usernameFragment }) =>
      generations.some((generation) => generation?.usernameFragment === usernameFragment),
    );
  }

  /** Takes over the remote candidates of the descriptions; objects of known candidates are kept. */
  remoteCandidates(snapshot: PeerSnapshot): void {
    const remote = snapshot.pendingRemoteDescription ?? snapshot.currentRemoteDescription;
    if (!remote) {
      this.ice.remoteCandidates = [];
      return;
    }
    const { mid, lines } = iceCandidates(remote.sdp);
    const usernameFragment = this.ice.remoteParameters?.usernameFragment ?? null;
    const known = this.ice.remoteCandidates;
    this.ice.remoteCandidates = lines.map(
      (candidate) =>
        known.find((one) => one.candidate === candidate) ??
        new RTCIceCandidate({ candidate, sdpMid: mid, usernameFragment }),
    );
    this.#resolvePair();
  }

  /** A peer-reflexive end of the pair in use is shown as the candidate that turns out to be the same (RFC 8838). */
  #resolvePair(): void {
    const { selectedPair, remoteCandidates } = this.ice;
    if (selectedPair?.remote.type !== 'prflx') return;
    const { address, port } = selectedPair.remote;
    const signaled = remoteCandidates.find((one) => one.address === address && one.port === port);
    if (signaled) this.ice.selectedPair = createCandidatePair(selectedPair.local, signaled);
  }

  /** Packets travel on another pair. */
  selectPair(local: NativeCandidate, remote: NativeCandidate): void {
    this.ice.selectedPair = createCandidatePair(
      toCandidate(local, this.ice.localCandidates),
      toCandidate(remote, this.ice.remoteCandidates),
    );
    this.#resolvePair();
  }

  /** The connection was closed: all states at once, without events (webrtc-pc 4.4.1.10). */
  close(): void {
    this.ice.state = 'closed';
    this.dtls.state = 'closed';
    this.sctp.state = 'closed';
  }
}

function toCandidate(native: NativeCandidate, signaled: readonly RTCIceCandidate[]): RTCIceCandidate {
  const { sdpMid, usernameFragment, relayProtocol, url } = native;
  const candidate = native.candidate || peerReflexive(native);
  return (
    signaled.find((one) => one.candidate === candidate) ??
    new RTCIceCandidate({ candidate, sdpMid, usernameFragment, relayProtocol, url })
  );
}

/** A candidate line for one that was never signaled: it was learnt from a connectivity check (RFC 8445 section 7.3.1.3). */
function peerReflexive({ foundation, priority, address, port, type }: NativeCandidate): string {
  return `candidate:${foundation || '0'} 1 udp ${priority} ${address} ${port} typ ${type}`;
}

/** `RTCIceConnectionState` for the transports there are (webrtc-pc 4.3.4). */
export function iceConnectionState(transports: Transports | null): RTCIceConnectionState {
  const state = transports?.ice.state ?? 'new';
  return state === 'closed' ? 'new' : state;
}

/** `RTCPeerConnectionState` for the transports there are (webrtc-pc 4.3.3); the order of the rules is the standard's. */
export function connectionState(transports: Transports | null): RTCPeerConnectionState {
  if (!transports) return 'new';
  const { ice, dtls } = transports;
  if (ice.state === 'failed' || dtls.state === 'failed') return 'failed';
  if (ice.state === 'disconnected') return 'disconnected';
  if (isOneOf(ice.state, 'new', 'closed') && isOneOf(dtls.state, 'new', 'closed')) return 'new';
  if (isOneOf(ice.state, 'connected', 'completed', 'closed') && isOneOf(dtls.state, 'connected', 'closed'))
    return 'connected';
  return 'connecting';
}

function isOneOf<T>(value: T, ...values: T[]): boolean {
  return values.includes(value);
}
