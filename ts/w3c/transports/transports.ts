import type { NativeCandidate, NativePeer, PeerSnapshot } from '../../native';
import { iceCandidates, iceParameters, maxMessageSize, RTCIceCandidate } from '../descriptions';
import type { RTCIceConnectionState, RTCPeerConnectionState } from '../enums';
import { fire } from '../events';
import { createDtlsTransport, type DtlsTransportHost, type DtlsTransportSlots, type RTCDtlsTransport } from './dtls';
import { createCandidatePair, createIceTransport, type IceTransportSlots, type RTCIceTransport } from './ice';
import { createSctpTransport, type RTCSctpTransport, type SctpTransportHost, type SctpTransportSlots } from './sctp';

/** Most bytes that one message can have: both ends hold it in memory as a whole. */
const CAN_SEND_SIZE = 256 * 1024 * 1024;

/**
 * The transports of a connection, which live and die together: all sections go over one DTLS over one ICE, and data over one association on it.
 * The objects that script sees are made when it first asks: most programs never do, and one takes as much memory as all that it shows.
 */
export class Transports implements DtlsTransportHost, SctpTransportHost {
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
  readonly dtls: DtlsTransportSlots = { state: 'new' };
  readonly sctp: SctpTransportSlots = { state: 'connecting', maxMessageSize: null, maxChannels: null };
  readonly #native: Pick<NativePeer, 'snapshot'>;
  /** The peer's end of the pair in use was learnt from a check, and not signaled so far. */
  #isReflexive = false;
  #iceTransport: RTCIceTransport | undefined;
  #dtlsTransport: RTCDtlsTransport | undefined;
  #sctpTransport: RTCSctpTransport | undefined;

  constructor(native: Pick<NativePeer, 'snapshot'>) {
    this.#native = native;
  }

  get iceTransport(): RTCIceTransport {
    return (this.#iceTransport ??= createIceTransport(this.ice));
  }
  get dtlsTransport(): RTCDtlsTransport {
    return (this.#dtlsTransport ??= createDtlsTransport(this.dtls, this));
  }
  get sctpTransport(): RTCSctpTransport {
    return (this.#sctpTransport ??= createSctpTransport(this.sctp, this));
  }

  /** Fires an event at a transport, if anybody can listen to it. */
  fire(at: 'ice' | 'dtls' | 'sctp', event: string | Event): void {
    const target = { ice: this.#iceTransport, dtls: this.#dtlsTransport, sctp: this.#sctpTransport }[at];
    if (!target) return;
    if (typeof event === 'string') fire(target, event);
    else target.dispatchEvent(event);
  }

  /** The core has them: few ask, and for thousands of connections they take much memory. */
  remoteCertificates(): ArrayBuffer[] {
    // It may know more than was told yet.
    if (this.dtls.state === 'new' || this.dtls.state === 'connecting') return [];
    return this.#native.snapshot().dtls?.remoteCertificates ?? [];
  }

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
    if (!selectedPair || !this.#isReflexive) return;
    const { address, port } = selectedPair.remote;
    const signaled = remoteCandidates.find((one) => one.address === address && one.port === port);
    if (!signaled) return;
    this.ice.selectedPair = createCandidatePair(selectedPair.local, signaled);
    this.#isReflexive = false;
  }

  /** Packets travel on another pair. */
  selectPair(local: NativeCandidate, remote: NativeCandidate): void {
    this.ice.selectedPair = createCandidatePair(
      toCandidate(local, this.ice.localCandidates),
      toCandidate(remote, this.ice.remoteCandidates),
    );
    this.#isReflexive = remote.type === 'prflx';
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
