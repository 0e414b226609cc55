import { isDeepStrictEqual } from 'node:util';

import { DOMException } from '../../platform';
import { NativePeer, type PeerSnapshot } from '../../native';
import { thrown } from '../../webidl';
import type { DataChannelSettings, RTCDataChannel } from '../channel';
import {
  checkCertificates,
  checkIceServers,
  checkModification,
  convertConfiguration,
  nativeCertificateOf,
  type Configuration,
} from '../configuration';
import {
  describedSections,
  Descriptions,
  hasDataSection,
  hasSection,
  isDescribed,
  isLegal,
  wrongState,
  type RTCIceCandidateInit,
  type RTCLocalSessionDescriptionInit,
  type RTCSessionDescriptionInit,
} from '../descriptions';
import type {
  RTCIceConnectionState,
  RTCIceGatheringState,
  RTCPeerConnectionState,
  RTCSdpType,
  RTCSignalingState,
} from '../enums';
import { fire, nativeCall, queueTask, toStandardError } from '../events';
import { PeerMedia, type MediaHost, type RemoteChanges } from '../media';
import { createStatsReport, selectStats, type RTCStats, type RTCStatsReport } from '../stats';
import { connectionState, iceConnectionState, Transports } from '../transports';
import { Channels, type ChannelsHost } from './channels';
import { PeerEvents } from './events';
import { NegotiationNeeded } from './negotiation-needed';
import { closedError, OperationsChain } from './operations-chain';
import { registerSubject } from './subjects';

/** A description with both members there. */
type Description = Required<RTCSessionDescriptionInit>;

/** Options of `createOffer()`. */
interface OfferOptions {
  iceRestart?: boolean;
  offerToReceiveAudio?: boolean;
  offerToReceiveVideo?: boolean;
}

/** Connections that can still fire events: script need not hold them (webrtc-pc 4.4.1.11, garbage collection). */
const active = new Set<PeerCore>();

/** The algorithms of a connection (webrtc-pc 4.4); the class `RTCPeerConnection` is their WebIDL face. */
export class PeerCore implements ChannelsHost, MediaHost {
  readonly native: NativePeer;
  readonly descriptions = new Descriptions();
  readonly channels = new Channels(this);
  readonly media: PeerMedia = new PeerMedia(this);
  readonly #events = new PeerEvents(this);
  configuration: Configuration;
  transports: Transports | null = null;
  signalingState: RTCSignalingState = 'stable';
  iceGatheringState: RTCIceGatheringState = 'new';
  iceConnectionState: RTCIceConnectionState = 'new';
  connectionState: RTCPeerConnectionState = 'new';
  canTrickleIceCandidates: boolean | null = null;
  isClosed = false;

  readonly #chain = new OperationsChain(
    () => this.isClosed,
    () => this.#negotiation.chainEmptied(this.#chain),
  );
  readonly #negotiation = new NegotiationNeeded({
    isClosed: () => this.isClosed,
    isStable: () => this.signalingState === 'stable',
    check: () => this.native.negotiationNeeded(),
    fire: () => fire(this.target, 'negotiationneeded'),
  });
  #lastCreatedOffer = '';
  #lastCreatedAnswer = '';
  /** Whether the last created offer still says what a new one would say. */
  #offerIsCurrent = false;
  /** Whether the last created answer is one to the present offer. */
  #answerIsCurrent = false;
  #localDescriptionApplied = false;
  /** There are other servers or another policy since the last offer was answered: the next one restarts ICE (RFC 9429 section 5.2.2). */
  #iceChanged = false;

  /** `target` is the object that script knows, where events are fired. */
  constructor(
    readonly target: EventTarget,
    configuration: unknown,
  ) {
    this.configuration = convertConfiguration(configuration);
    const { certificates, iceServers, iceTransportPolicy, transport } = this.configuration;
    checkCertificates(certificates);
    const config = {
      ...transport,
      media: true,
      alwaysNegotiateDataChannels:
        this.configuration.alwaysNegotiateDataChannels || transport?.alwaysNegotiateDataChannels,
      iceServers: checkIceServers(iceServers),
      iceTransportPolicy,
      ...(certificates.length > 0 && { certificates: certificates.map(nativeCertificateOf) }),
    };
    this.native = nativeCall(() => new NativePeer(config, this.#events));
    registerSubject(target, this);
  }

  setConfiguration(value: unknown): void {
    const after = convertConfiguration(value);
    this.#throwIfClosed();
    const before = this.configuration;
    checkModification(before, after, this.#localDescriptionApplied);
    const { iceTransportPolicy } = after;
    const iceServers = checkIceServers(after.iceServers);
    nativeCall(() => this.native.setConfiguration({ iceServers, iceTransportPolicy }));
    this.configuration = { ...after, certificates: before.certificates, transport: before.transport };
    if (isDeepStrictEqual(iceOf(before), iceOf(after))) return;
    this.#iceChanged = true;
    this.offerChanged();
  }

  createOffer({ iceRestart = false, offerToReceiveAudio, offerToReceiveVideo }: OfferOptions): Promise<Description> {
    if (this.isClosed) return Promise.reject(closedError());
    if (offerToReceiveAudio !== undefined) this.media.offerToReceive('audio', offerToReceiveAudio);
    if (offerToReceiveVideo !== undefined) this.media.offerToReceive('video', offerToReceiveVideo);
    return this.#chain.chain(() => this.#offer(iceRestart));
  }

  #offer(iceRestart: boolean): Promise<Description> {
    if (this.signalingState !== 'stable' && this.signalingState !== 'have-local-offer') {
      return Promise.reject(cannotCreate('offer', this.signalingState));
    }
    return this.task(() => {
      const sdp = this.native.createOffer(iceRestart || (this.#iceChanged && this.#localDescriptionApplied));
      this.#lastCreatedOffer = sdp;
      this.#offerIsCurrent = true;
      return { type: 'offer', sdp };
    });
  }

  createAnswer(): Promise<RTCSessionDescriptionInit> {
    return this.#chain.chain(() => this.#answer('answer'));
  }

  #answer(type: 'answer' | 'pranswer'): Promise<Description> {
    if (this.signalingState !== 'have-remote-offer' && this.signalingState !== 'have-local-pranswer') {
      return Promise.reject(cannotCreate('answer', this.signalingState));
    }
    return this.task(() => {
      const sdp = this.native.createAnswer();
      this.#lastCreatedAnswer = sdp;
      this.#answerIsCurrent = true;
      return { type, sdp };
    });
  }

  setLocalDescription({ type: givenType, sdp = '' }: RTCLocalSessionDescriptionInit): Promise<void> {
    return this.#chain.chain(() => {
      const type = givenType ?? this.#implicitType();
      if (type === 'rollback') return this.#setDescription(false, { type, sdp: '' });
      // A type that does not fit the state is the more telling error, and browsers report it first.
      if (!isLegal(false, type, this.signalingState))
        return Promise.reject(wrongState(false, type, this.signalingState));
      const last = type === 'offer' ? this.#lastCreatedOffer : this.#lastCreatedAnswer;
      if (sdp !== '') {
        if (last === '') return Promise.reject(nothingCreated(type));
        // The core lets changes pass that mean nothing, as browsers do, and refuses the others.
        return this.#setDescription(false, { type, sdp });
      }
      if (type === 'offer' ? this.#offerIsCurrent : this.#answerIsCurrent)
        return this.#setDescription(false, { type, sdp: last });
      const created = type === 'offer' ? this.#offer(false) : this.#answer(type);
      return created.then((description) => this.#setDescription(false, { ...description, type }));
    });
  }

  #implicitType(): 'offer' | 'answer' {
    const offering: RTCSignalingState[] = ['stable', 'have-local-offer', 'have-remote-pranswer'];
    return offering.includes(this.signalingState) ? 'offer' : 'answer';
  }

  setRemoteDescription({ type, sdp = '' }: RTCSessionDescriptionInit): Promise<void> {
    return this.#chain.chain(() => {
      const description = { type, sdp };
      // Glare: our own offer gives way, as two changes that script can observe.
      if (type === 'offer' && this.signalingState === 'have-local-offer') {
        return this.#setDescription(false, { type: 'rollback', sdp: '' }).then(() =>
          this.#setDescription(true, description),
        );
      }
      return this.#setDescription(true, description);
    });
  }

  /** "Set a session description". */
  #setDescription(remote: boolean, description: Description): Promise<void> {
    const { type, sdp } = description;
    const rollbackImpossible: RTCSignalingState[] = ['stable', 'have-local-pranswer', 'have-remote-pranswer'];
    if (type === 'rollback' && rollbackImpossible.includes(this.signalingState)) {
      return Promise.reject(wrongState(remote, type, this.signalingState));
    }
    return this.task(() => {
      if (!isLegal(remote, type, this.signalingState)) throw wrongState(remote, type, this.signalingState);
      const snapshot = remote
        ? this.native.setRemoteDescription(type, sdp)
        : this.native.setLocalDescription(type, sdp);
      this.#descriptionApplied(remote, description, snapshot);
    });
  }

  #descriptionApplied(remote: boolean, { type, sdp }: Description, snapshot: PeerSnapshot): void {
    if (!remote && type !== 'rollback') this.#localDescriptionApplied = true;
    this.#offerIsCurrent = false;
    // A pranswer may be set again.
    if (type !== 'pranswer') this.#answerIsCurrent = false;
    if (type === 'answer') this.#lastCreatedOffer = this.#lastCreatedAnswer = '';
    if (type === 'answer' && remote) this.#iceChanged = false;
    const hadTransports = this.transports !== null;
    this.descriptions.applied(remote, type, snapshot);
    this.canTrickleIceCandidates = snapshot.canTrickleIceCandidates;
    this.#updateTransports(snapshot);
    this.#updateLiveness();
    this.channels.updateIds();
    const changes = this.#mediaApplied(remote, type, sdp, snapshot);
    const before = this.signalingState;
    this.signalingState = snapshot.signalingState;
    if (this.signalingState === 'stable') {
      this.#negotiation.clear();
      this.#negotiation.update(this.#chain);
    }
    if (this.signalingState !== before) fire(this.target, 'signalingstatechange');
    changes.announce(this.target);
    if (!hadTransports || this.transports) return;
    // What a rollback takes back is told in a task of its own.
    if (type !== 'rollback') this.updateStates();
    else queueTask(() => !this.isClosed && this.updateStates());
  }

  #mediaApplied(remote: boolean, type: RTCSdpType, sdp: string, { transceivers }: PeerSnapshot): RemoteChanges {
    const sections = transceivers.length > 0 ? describedSections(sdp) : [];
    const transport = (transceivers.length > 0 && this.transports?.dtlsTransport) || null;
    return this.media.applied({ remote, type, sections, transceivers, transport });
  }

  /** Transports exist while a description has a section in use; a rollback of the first one takes them away again. */
  #updateTransports(snapshot: PeerSnapshot): void {
    if (isDescribed(snapshot, hasSection)) {
      this.transports ??= new Transports(this.native);
      this.transports.hasData = isDescribed(snapshot, hasDataSection);
      this.transports.negotiated(snapshot);
    } else {
      this.transports = null;
    }
  }

  /** Recomputes the connection's states from its transports', then fires (webrtc-pc 4.4.3 and 5.6). */
  updateStates(firedAtTransport?: () => void): void {
    const gathering = this.transports?.ice.gatheringState ?? 'new';
    const ice = iceConnectionState(this.transports);
    const connection = connectionState(this.transports);
    const changed = [
      gathering !== this.iceGatheringState && 'icegatheringstatechange',
      ice !== this.iceConnectionState && 'iceconnectionstatechange',
      connection !== this.connectionState && 'connectionstatechange',
    ];
    this.iceGatheringState = gathering;
    this.iceConnectionState = ice;
    this.connectionState = connection;
    firedAtTransport?.();
    for (const type of changed) if (type && !this.isClosed) fire(this.target, type);
    this.#updateLiveness();
  }

  /**
   * While packets can arrive the connection lives, held by script or not. One that has failed, or that the peer has
   * ended, lives only as long as script holds it.
   */
  #updateLiveness(): void {
    const over = this.isClosed || this.connectionState === 'failed' || this.transports?.dtls.state === 'closed';
    if (this.transports && !over) active.add(this);
    else active.delete(this);
  }

  addIceCandidate(init: RTCIceCandidateInit): Promise<void> {
    const { candidate = '', sdpMid = null, sdpMLineIndex = null, usernameFragment = null } = init;
    if (candidate !== '' && sdpMid === null && sdpMLineIndex === null) {
      return Promise.reject(new TypeError('A candidate needs sdpMid or sdpMLineIndex, but both are null'));
    }
    return this.#chain.chain(() => {
      if (!this.descriptions.remote) {
        return Promise.reject(
          new DOMException('A candidate cannot be added before the remote description', 'InvalidStateError'),
        );
      }
      return this.task(() => {
        const snapshot = this.native.addIceCandidate({ candidate, sdpMid, sdpMLineIndex, usernameFragment });
        this.descriptions.remoteCandidates(snapshot);
        this.transports?.remoteCandidates(snapshot);
      });
    });
  }

  restartIce(): void {
    if (this.isClosed) return;
    this.native.restartIce();
    this.updateNegotiationNeeded();
  }

  chain<T>(operation: () => Promise<T>): Promise<T> {
    return this.#chain.chain(operation);
  }

  offerChanged(): void {
    this.#offerIsCurrent = false;
  }

  updateNegotiationNeeded(): void {
    this.offerChanged();
    this.#negotiation.update(this.#chain);
  }

  createDataChannel(label: string, init: DataChannelSettings): RTCDataChannel {
    this.#throwIfClosed();
    return this.channels.create(label, init);
  }

  firstChannel(): void {
    this.updateNegotiationNeeded();
  }

  get maxMessageSize(): number | null {
    return this.transports?.sctp.maxMessageSize ?? null;
  }

  /** Of the whole connection, or of the entries that are chosen and those that they refer to. */
  getStats(chosen?: (entry: RTCStats) => boolean): Promise<RTCStatsReport> {
    return new Promise((resolve, reject) => {
      try {
        // As things are now, whatever script does before it hears of it.
        const entries = this.native.getStats();
        const report = createStatsReport(chosen ? selectStats(entries, chosen) : entries);
        queueTask(() => resolve(report));
      } catch (error) {
        const reason = thrown(toStandardError(error));
        queueTask(() => reject(reason));
      }
    });
  }

  /** "Close the connection": every state changes at once, and no event tells script what it did itself. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    active.delete(this);
    this.signalingState = 'closed';
    this.channels.close();
    this.media.close();
    this.native.close();
    this.#events.close();
    this.iceConnectionState = 'closed';
    this.connectionState = 'closed';
    const { transports } = this;
    const hasAssociation = transports?.hasData && transports.sctp.state !== 'closed';
    transports?.close();
    if (!hasAssociation) return;
    // The one exception, which browsers make and Web Platform Tests expect: the ABORT ends the association.
    queueTask(() => transports.fire('sctp', 'statechange'));
  }

  /** Runs steps as a task of their own and settles with their outcome; after close() never. */
  task<T>(steps: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      queueTask(() => {
        if (this.isClosed) return;
        try {
          const result = steps();
          if (!this.isClosed) resolve(result);
        } catch (error) {
          reject(thrown(toStandardError(error)));
        }
      });
    });
  }

  #throwIfClosed(): void {
    if (this.isClosed) throw closedError();
  }
}

/** What gathering depends on. */
function iceOf({ iceServers, iceTransportPolicy }: Configuration) {
  return { iceServers, iceTransportPolicy };
}

function nothingCreated(type: string): DOMException {
  return new DOMException(
    `No ${type} was created that could be set; set what createOffer() or createAnswer() gave`,
    'InvalidModificationError',
  );
}

function cannotCreate(type: string, state: RTCSignalingState): DOMException {
  return new DOMException(`An ${type} cannot be created in the signaling state '${state}'`, 'InvalidStateError');
}
