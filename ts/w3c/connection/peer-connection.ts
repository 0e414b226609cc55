/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging -- the merged interfaces only refine types of members that are there */
import { EventTarget } from '../../platform';
import {
  EventHandlers,
  exposeInterface,
  instanceOf,
  nullable,
  promiseOperation,
  requireArguments,
  USVString,
  type EventHandler,
} from '../../webidl';
import { isMediaStream, isMediaStreamTrack, type MediaStream, type MediaStreamTrack } from '../../media';
import {
  convertDataChannelInit,
  type RTCDataChannel,
  type RTCDataChannelEvent,
  type RTCDataChannelInit,
} from '../channel';
import {
  checkKeygenAlgorithm,
  copyConfiguration,
  generateCertificate,
  type RTCCertificate,
  type RTCCertificateAlgorithm,
  type RTCConfiguration,
} from '../configuration';
import {
  convertIceCandidateInit,
  convertLocalSessionDescriptionInit,
  convertSessionDescriptionInit,
  type RTCIceCandidateInit,
  type RTCLocalSessionDescriptionInit,
  type RTCPeerConnectionIceErrorEvent,
  type RTCPeerConnectionIceEvent,
  type RTCSessionDescription,
  type RTCSessionDescriptionInit,
} from '../descriptions';
import type { RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionState, RTCSignalingState } from '../enums';
import { queueTask, type AddEventListener, type RemoveEventListener } from '../events';
import {
  convertTransceiverInit,
  isSender,
  kindOf,
  type RTCRtpReceiver,
  type RTCRtpSender,
  type RTCRtpTransceiver,
  type RTCRtpTransceiverInit,
  type RTCTrackEvent,
} from '../media';
import type { RTCStatsReport } from '../stats';
import type { RTCSctpTransport } from '../transports';
import { PeerCore } from './core';
import type { RTCPeerConnectionEventMap } from './event-map';
import {
  legacy,
  refuseTwoArguments,
  toCallbacks,
  type RTCPeerConnectionErrorCallback,
  type RTCSessionDescriptionCallback,
} from './legacy-callbacks';
import { convertAnswerOptions, convertOfferOptions, type RTCAnswerOptions, type RTCOfferOptions } from './options';

const convertTrack = instanceOf('MediaStreamTrack', isMediaStreamTrack);
const convertStream = instanceOf('MediaStream', isMediaStream);
const convertSender = instanceOf('RTCRtpSender', isSender);
const convertSelector = nullable(convertTrack);

/**
 * A connection to one peer (webrtc-pc 4.4), for data channels, audio and video. From its first description on a connection keeps the process alive, until it is closed by either
 * side or has failed.
 */
export class RTCPeerConnection extends EventTarget {
  readonly #core: PeerCore;
  readonly #handlers = new EventHandlers(this);

  /**
   * @throws TypeError for a value of a wrong type, RangeError for a number in `transport` that is out of range.
   * @throws DOMException `SyntaxError` for a malformed server URL; `InvalidAccessError` for a TURN server without
   * credentials or an expired certificate.
   */
  constructor(configuration: RTCConfiguration = {}) {
    super();
    this.#core = new PeerCore(this, configuration);
  }

  /**
   * Generates a certificate with an ECDSA P-256 key.
   * @returns rejects with `NotSupportedError` for other algorithms, RSA included.
   */
  static generateCertificate(keygenAlgorithm: RTCCertificateAlgorithm): Promise<RTCCertificate> {
    const given = arguments.length;
    return promiseOperation(() => {
      requireArguments(given, 1, 'RTCPeerConnection.generateCertificate');
      const lifetime = checkKeygenAlgorithm(keygenAlgorithm);
      return new Promise((resolve) => queueTask(() => resolve(generateCertificate(lifetime))));
    });
  }

  /** Makes an offer. @returns rejects with `InvalidStateError` when closed or when an answer is due. */
  createOffer(options?: RTCOfferOptions): Promise<RTCSessionDescriptionInit>;
  /** @deprecated Use the promise. */
  createOffer(
    successCallback: RTCSessionDescriptionCallback,
    failureCallback: RTCPeerConnectionErrorCallback,
    options?: RTCOfferOptions,
  ): Promise<void>;
  createOffer(...args: unknown[]): Promise<RTCSessionDescriptionInit | void> {
    return promiseOperation<RTCSessionDescriptionInit | void>(() => {
      const core = this.#core;
      if (args.length <= 1) return core.createOffer(convertOfferOptions(args[0], 'options'));
      const callbacks = toCallbacks(args[0], args[1]);
      const options = convertOfferOptions(args[2], 'options');
      return legacy(core.createOffer(options), ...callbacks);
    });
  }

  /** Makes an answer to the remote offer. @returns rejects with `InvalidStateError` when closed or without an offer. */
  createAnswer(options?: RTCAnswerOptions): Promise<RTCSessionDescriptionInit>;
  /** @deprecated Use the promise. */
  createAnswer(
    successCallback: RTCSessionDescriptionCallback,
    failureCallback: RTCPeerConnectionErrorCallback,
  ): Promise<void>;
  createAnswer(...args: unknown[]): Promise<RTCSessionDescriptionInit | void> {
    return promiseOperation<RTCSessionDescriptionInit | void>(() => {
      const core = this.#core;
      if (args.length >= 2) {
        const callbacks = toCallbacks(args[0], args[1]);
        return legacy(core.createAnswer(), ...callbacks);
      }
      convertAnswerOptions(args[0], 'options');
      return core.createAnswer();
    });
  }

  /**
   * Sets the local description; without an argument the one that is due is made and set. Gathering starts.
   * @returns rejects with `InvalidModificationError` for a description that is not the one created last,
   * `InvalidStateError` for a type that the signaling state does not allow.
   */
  setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void>;
  /** @deprecated Use the promise. */
  setLocalDescription(
    description: RTCLocalSessionDescriptionInit,
    successCallback: () => void,
    failureCallback: RTCPeerConnectionErrorCallback,
  ): Promise<void>;
  setLocalDescription(...args: unknown[]): Promise<void> {
    return promiseOperation(() => {
      const core = this.#core;
      refuseTwoArguments(args, 'setLocalDescription');
      const description = convertLocalSessionDescriptionInit(args[0], 'description');
      if (args.length < 3) return core.setLocalDescription(description);
      const callbacks = toCallbacks(args[1], args[2]);
      return legacy(core.setLocalDescription(description), ...callbacks);
    });
  }

  /** The description being negotiated, else the one in force. */
  get localDescription(): RTCSessionDescription | null {
    return this.#core.descriptions.local;
  }
  /** The local description in force. */
  get currentLocalDescription(): RTCSessionDescription | null {
    return this.#core.descriptions.currentLocalDescription;
  }
  /** The local description being negotiated. */
  get pendingLocalDescription(): RTCSessionDescription | null {
    return this.#core.descriptions.pendingLocalDescription;
  }

  /**
   * Sets the remote description. An offer rolls back our own pending offer, if there is one.
   * @returns rejects with an `RTCError` (`sdp-syntax-error`, with the line) for a malformed description,
   * `InvalidAccessError` for one that cannot be used, `InvalidStateError` for a type that the state does not allow.
   */
  setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void>;
  /** @deprecated Use the promise. */
  setRemoteDescription(
    description: RTCSessionDescriptionInit,
    successCallback: () => void,
    failureCallback: RTCPeerConnectionErrorCallback,
  ): Promise<void>;
  setRemoteDescription(descriptionArgument: unknown, ...rest: unknown[]): Promise<void> {
    const given = arguments.length;
    return promiseOperation(() => {
      const core = this.#core;
      requireArguments(given, 1, 'RTCPeerConnection.setRemoteDescription');
      refuseTwoArguments([descriptionArgument, ...rest], 'setRemoteDescription');
      const description = convertSessionDescriptionInit(descriptionArgument, 'description');
      if (rest.length < 2) return core.setRemoteDescription(description);
      const callbacks = toCallbacks(rest[0], rest[1]);
      return legacy(core.setRemoteDescription(description), ...callbacks);
    });
  }

  /** The description being negotiated, else the one in force. */
  get remoteDescription(): RTCSessionDescription | null {
    return this.#core.descriptions.remote;
  }
  /** The remote description in force. */
  get currentRemoteDescription(): RTCSessionDescription | null {
    return this.#core.descriptions.currentRemoteDescription;
  }
  /** The remote description being negotiated. */
  get pendingRemoteDescription(): RTCSessionDescription | null {
    return this.#core.descriptions.pendingRemoteDescription;
  }

  /**
   * Adds a candidate of the peer; an empty one (or none) ends the candidates.
   * @returns rejects with `InvalidStateError` before the remote description, `OperationError` for a candidate that does
   * not fit it, `TypeError` without `sdpMid` and `sdpMLineIndex`.
   */
  addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void>;
  /** @deprecated Use the promise. */
  addIceCandidate(
    candidate: RTCIceCandidateInit,
    successCallback: () => void,
    failureCallback: RTCPeerConnectionErrorCallback,
  ): Promise<void>;
  addIceCandidate(...args: unknown[]): Promise<void> {
    return promiseOperation(() => {
      const core = this.#core;
      refuseTwoArguments(args, 'addIceCandidate');
      const candidate = convertIceCandidateInit(args[0], 'candidate');
      if (args.length < 3) return core.addIceCandidate(candidate);
      const callbacks = toCallbacks(args[1], args[2]);
      return legacy(core.addIceCandidate(candidate), ...callbacks);
    });
  }

  /** State of offer and answer. */
  get signalingState(): RTCSignalingState {
    return this.#core.signalingState;
  }
  /** Whether candidates are being gathered. */
  get iceGatheringState(): RTCIceGatheringState {
    return this.#core.iceGatheringState;
  }
  /** State of ICE. */
  get iceConnectionState(): RTCIceConnectionState {
    return this.#core.iceConnectionState;
  }
  /** State of ICE and DTLS together. */
  get connectionState(): RTCPeerConnectionState {
    return this.#core.connectionState;
  }
  /** Whether the peer takes candidates one by one; `null` before its description. */
  get canTrickleIceCandidates(): boolean | null {
    return this.#core.canTrickleIceCandidates;
  }

  /** Asks for new ICE credentials in the next offer; `negotiationneeded` follows. */
  restartIce(): void {
    this.#core.restartIce();
  }

  /** The configuration in force, as a copy. */
  getConfiguration(): RTCConfiguration {
    return copyConfiguration(this.#core.configuration);
  }

  /**
   * Replaces servers and policies; they count from the next gathering on.
   * @throws DOMException `InvalidModificationError` for a member that cannot change any more, `InvalidStateError` when
   * closed, and what the constructor throws.
   */
  setConfiguration(configuration: RTCConfiguration = {}): void {
    this.#core.setConfiguration(configuration);
  }

  /** Ends the connection; the peer is told. Without effect when closed already. */
  close(): void {
    this.#core.close();
  }

  /** An offer should be made: script's turn to negotiate. */
  get onnegotiationneeded(): EventHandler {
    return this.#handlers.get('negotiationneeded');
  }
  set onnegotiationneeded(value: EventHandler) {
    this.#handlers.set('negotiationneeded', value);
  }
  /** A local candidate is to be signaled. */
  get onicecandidate(): EventHandler<RTCPeerConnectionIceEvent> {
    return this.#handlers.get('icecandidate');
  }
  set onicecandidate(value: EventHandler<RTCPeerConnectionIceEvent>) {
    this.#handlers.set('icecandidate', value);
  }
  /** A STUN or TURN server could not be used. */
  get onicecandidateerror(): EventHandler<RTCPeerConnectionIceErrorEvent> {
    return this.#handlers.get('icecandidateerror');
  }
  set onicecandidateerror(value: EventHandler<RTCPeerConnectionIceErrorEvent>) {
    this.#handlers.set('icecandidateerror', value);
  }
  /** `signalingState` has changed. */
  get onsignalingstatechange(): EventHandler {
    return this.#handlers.get('signalingstatechange');
  }
  set onsignalingstatechange(value: EventHandler) {
    this.#handlers.set('signalingstatechange', value);
  }
  /** `iceConnectionState` has changed. */
  get oniceconnectionstatechange(): EventHandler {
    return this.#handlers.get('iceconnectionstatechange');
  }
  set oniceconnectionstatechange(value: EventHandler) {
    this.#handlers.set('iceconnectionstatechange', value);
  }
  /** `iceGatheringState` has changed. */
  get onicegatheringstatechange(): EventHandler {
    return this.#handlers.get('icegatheringstatechange');
  }
  set onicegatheringstatechange(value: EventHandler) {
    this.#handlers.set('icegatheringstatechange', value);
  }
  /** `connectionState` has changed. */
  get onconnectionstatechange(): EventHandler {
    return this.#handlers.get('connectionstatechange');
  }
  set onconnectionstatechange(value: EventHandler) {
    this.#handlers.set('connectionstatechange', value);
  }

  /** The senders of all transceivers that are not stopped. */
  getSenders(): RTCRtpSender[] {
    return this.#core.media.senders;
  }
  /** The receivers of all transceivers that are not stopped. */
  getReceivers(): RTCRtpReceiver[] {
    return this.#core.media.receivers;
  }
  /** The transceivers, in the order in which they were made. */
  getTransceivers(): RTCRtpTransceiver[] {
    return this.#core.media.transceivers;
  }

  /**
   * Sends a track, with a transceiver that has not sent yet or a new one. `negotiationneeded` follows.
   *
   * @param streams that the peer finds the track in.
   * @throws DOMException `InvalidStateError` when closed; `InvalidAccessError` if the track is sent already.
   */
  addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): RTCRtpSender {
    const core = this.#core;
    requireArguments(arguments.length, 1, 'RTCPeerConnection.addTrack');
    const converted = convertTrack(track, 'track');
    const all = streams.map((stream, index) => convertStream(stream, `streams[${index}]`));
    return core.media.addTrack(converted, all);
  }

  /**
   * Sends nothing any more with this sender, which stays. `negotiationneeded` follows.
   *
   * @throws DOMException `InvalidStateError` when closed; `InvalidAccessError` for a sender of another connection.
   */
  removeTrack(sender: RTCRtpSender): void {
    const core = this.#core;
    requireArguments(arguments.length, 1, 'RTCPeerConnection.removeTrack');
    core.media.removeTrack(convertSender(sender, 'sender'));
  }

  /**
   * Makes a transceiver, which gets a section of its own. `negotiationneeded` follows.
   *
   * @param trackOrKind what to send, or `'audio'` or `'video'`.
   * @throws DOMException `InvalidStateError` when closed; `OperationError` beyond the number that a description holds; a TypeError or
   * RangeError for encodings that can't be sent.
   */
  addTransceiver(trackOrKind: MediaStreamTrack | string, init: RTCRtpTransceiverInit = {}): RTCRtpTransceiver {
    const core = this.#core;
    requireArguments(arguments.length, 1, 'RTCPeerConnection.addTransceiver');
    const { kind, track } = kindOf(trackOrKind);
    return core.media.addTransceiver(kind, { ...convertTransceiverInit(init), track });
  }

  /** The peer sends a track. */
  get ontrack(): EventHandler<RTCTrackEvent> {
    return this.#handlers.get('track');
  }
  set ontrack(value: EventHandler<RTCTrackEvent>) {
    this.#handlers.set('track', value);
  }

  /** The transport of the data channels; `null` before one is negotiated. */
  get sctp(): RTCSctpTransport | null {
    const { transports } = this.#core;
    return transports?.hasData ? transports.sctpTransport : null;
  }

  /**
   * Makes a channel. The first one makes `negotiationneeded` fire.
   * @throws DOMException `InvalidStateError` when closed; `OperationError` if the id is taken or none is left.
   * @throws TypeError for members that contradict each other or are out of range.
   */
  createDataChannel(label: string, dataChannelDict: RTCDataChannelInit = {}): RTCDataChannel {
    const core = this.#core;
    requireArguments(arguments.length, 1, 'RTCPeerConnection.createDataChannel');
    const name = USVString(label, 'label');
    return core.createDataChannel(name, convertDataChannelInit(dataChannelDict));
  }

  /** The peer has created a channel. */
  get ondatachannel(): EventHandler<RTCDataChannelEvent> {
    return this.#handlers.get('datachannel');
  }
  set ondatachannel(value: EventHandler<RTCDataChannelEvent>) {
    this.#handlers.set('datachannel', value);
  }

  /**
   * Statistics of the whole connection, or of what sends or receives a track.
   *
   * @returns rejects with `InvalidAccessError` unless exactly one sender or receiver has the track.
   */
  getStats(selector?: MediaStreamTrack | null): Promise<RTCStatsReport>;
  getStats(...args: unknown[]): Promise<RTCStatsReport> {
    return promiseOperation(() => {
      const core = this.#core;
      const track = convertSelector(args[0], 'selector');
      return core.getStats(track ? core.media.statsOf(track) : undefined);
    });
  }
}

export interface RTCPeerConnection {
  addEventListener: AddEventListener<RTCPeerConnectionEventMap>;
  removeEventListener: RemoveEventListener<RTCPeerConnectionEventMap>;
}

exposeInterface(RTCPeerConnection, 'RTCPeerConnection');
