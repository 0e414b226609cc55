/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging -- the merged interfaces only refine types of members that are there */
import { EventTarget } from '../../platform';
import { constructible, EventHandlers, exposeInterface, illegalConstructor, type EventHandler } from '../../webidl';
import type { RTCIceCandidate, RTCIceParameters } from '../descriptions';
import type { RTCIceComponent, RTCIceGathererState, RTCIceRole, RTCIceTransportState } from '../enums';
import type { AddEventListener, RemoveEventListener } from '../events';

/** What an {@link RTCIceTransport} shows; the connection keeps it up to date. */
export interface IceTransportSlots {
  role: RTCIceRole;
  state: RTCIceTransportState;
  gatheringState: RTCIceGathererState;
  /** Of all generations that a local description in use names. */
  localCandidates: RTCIceCandidate[];
  remoteCandidates: RTCIceCandidate[];
  selectedPair: RTCIceCandidatePair | null;
  localParameters: RTCIceParameters | null;
  remoteParameters: RTCIceParameters | null;
}

export let createCandidatePair: (local: RTCIceCandidate, remote: RTCIceCandidate) => RTCIceCandidatePair;

/** A local and a remote candidate that packets travel between (webrtc-pc 5.6.2). */
export class RTCIceCandidatePair {
  readonly #local: RTCIceCandidate;
  readonly #remote: RTCIceCandidate;

  private constructor(...args: unknown[]) {
    illegalConstructor(args[0], 'RTCIceCandidatePair');
    this.#local = args[1] as RTCIceCandidate;
    this.#remote = args[2] as RTCIceCandidate;
  }

  /** Our candidate. */
  get local(): RTCIceCandidate {
    return this.#local;
  }
  /** The peer's candidate. */
  get remote(): RTCIceCandidate {
    return this.#remote;
  }

  static {
    createCandidatePair = (local, remote) => new RTCIceCandidatePair(constructible, local, remote);
  }
}

exposeInterface(RTCIceCandidatePair, 'RTCIceCandidatePair');

/** Events of {@link RTCIceTransport}. */
export interface RTCIceTransportEventMap {
  /** `state` has changed. */
  statechange: Event;
  /** `gatheringState` has changed. */
  gatheringstatechange: Event;
  /** The selected pair has changed. */
  selectedcandidatepairchange: Event;
}

export let createIceTransport: (slots: IceTransportSlots) => RTCIceTransport;

/** The ICE transport of a connection (webrtc-pc 5.6). */
export class RTCIceTransport extends EventTarget {
  readonly #slots: IceTransportSlots;
  readonly #handlers = new EventHandlers(this);

  private constructor(...args: unknown[]) {
    illegalConstructor(args[0], 'RTCIceTransport');
    super();
    this.#slots = args[1] as IceTransportSlots;
  }

  /** Who nominates pairs. */
  get role(): RTCIceRole {
    return this.#slots.role;
  }
  /** Always `rtp`. */
  get component(): RTCIceComponent {
    void this.#slots;
    return 'rtp';
  }
  /** State of the connectivity checks. */
  get state(): RTCIceTransportState {
    return this.#slots.state;
  }
  /** Whether candidates are being gathered. */
  get gatheringState(): RTCIceGathererState {
    return this.#slots.gatheringState;
  }
  /** The local candidates of the current generation that were told to `onicecandidate`. */
  getLocalCandidates(): RTCIceCandidate[] {
    const { localCandidates, localParameters } = this.#slots;
    return localCandidates.filter((one) => one.usernameFragment === localParameters?.usernameFragment);
  }
  /** The remote candidates that were signaled. */
  getRemoteCandidates(): RTCIceCandidate[] {
    return [...this.#slots.remoteCandidates];
  }
  /** The pair that packets travel on, or `null` before there is one. */
  getSelectedCandidatePair(): RTCIceCandidatePair | null {
    return this.#slots.selectedPair;
  }
  /** Our credentials, or `null` before a local description. */
  getLocalParameters(): RTCIceParameters | null {
    const { localParameters } = this.#slots;
    return localParameters && { ...localParameters };
  }
  /** The peer's credentials, or `null` before a remote description. */
  getRemoteParameters(): RTCIceParameters | null {
    const { remoteParameters } = this.#slots;
    return remoteParameters && { ...remoteParameters };
  }

  /** `state` has changed. */
  get onstatechange(): EventHandler {
    return this.#handlers.get('statechange');
  }
  set onstatechange(value: EventHandler) {
    this.#handlers.set('statechange', value);
  }
  /** `gatheringState` has changed. */
  get ongatheringstatechange(): EventHandler {
    return this.#handlers.get('gatheringstatechange');
  }
  set ongatheringstatechange(value: EventHandler) {
    this.#handlers.set('gatheringstatechange', value);
  }
  /** The selected pair has changed. */
  get onselectedcandidatepairchange(): EventHandler {
    return this.#handlers.get('selectedcandidatepairchange');
  }
  set onselectedcandidatepairchange(value: EventHandler) {
    this.#handlers.set('selectedcandidatepairchange', value);
  }

  static {
    createIceTransport = (slots) => new RTCIceTransport(constructible, slots);
  }
}

export interface RTCIceTransport {
  addEventListener: AddEventListener<RTCIceTransportEventMap>;
  removeEventListener: RemoveEventListener<RTCIceTransportEventMap>;
}

exposeInterface(RTCIceTransport, 'RTCIceTransport');
