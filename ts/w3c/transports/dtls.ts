/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging -- the merged interfaces only refine types of members that are there */
import { EventTarget } from '../../platform';
import { constructible, EventHandlers, exposeInterface, illegalConstructor, type EventHandler } from '../../webidl';
import type { RTCDtlsTransportState } from '../enums';
import type { AddEventListener, RemoveEventListener, RTCErrorEvent } from '../events';
import type { RTCIceTransport } from './ice';

/** What an {@link RTCDtlsTransport} shows; the connection keeps it up to date. */
export interface DtlsTransportSlots {
  state: RTCDtlsTransportState;
}

/** What an {@link RTCDtlsTransport} asks its connection for. */
export interface DtlsTransportHost {
  readonly iceTransport: RTCIceTransport;
  /** Those that the handshake has shown, in copies. */
  remoteCertificates(): ArrayBuffer[];
}

/** Events of {@link RTCDtlsTransport}. */
export interface RTCDtlsTransportEventMap {
  /** `state` has changed. */
  statechange: Event;
  /** The association has failed. */
  error: RTCErrorEvent;
}

export let createDtlsTransport: (slots: DtlsTransportSlots, host: DtlsTransportHost) => RTCDtlsTransport;

/** The DTLS transport of a connection (webrtc-pc 5.5). */
export class RTCDtlsTransport extends EventTarget {
  readonly #slots: DtlsTransportSlots;
  readonly #host: DtlsTransportHost;
  readonly #handlers = new EventHandlers(this);

  private constructor(...args: unknown[]) {
    illegalConstructor(args[0], 'RTCDtlsTransport');
    super();
    this.#slots = args[1] as DtlsTransportSlots;
    this.#host = args[2] as DtlsTransportHost;
  }

  /** The transport below. */
  get iceTransport(): RTCIceTransport {
    return this.#host.iceTransport;
  }
  /** State of the DTLS association. */
  get state(): RTCDtlsTransportState {
    return this.#slots.state;
  }
  /** The peer's certificate chain in DER, leaf first; empty until the handshake is done. */
  getRemoteCertificates(): ArrayBuffer[] {
    return this.#host.remoteCertificates();
  }

  /** `state` has changed. */
  get onstatechange(): EventHandler {
    return this.#handlers.get('statechange');
  }
  set onstatechange(value: EventHandler) {
    this.#handlers.set('statechange', value);
  }
  /** The association has failed. */
  get onerror(): EventHandler<RTCErrorEvent> {
    return this.#handlers.get('error');
  }
  set onerror(value: EventHandler<RTCErrorEvent>) {
    this.#handlers.set('error', value);
  }

  static {
    createDtlsTransport = (slots, host) => new RTCDtlsTransport(constructible, slots, host);
  }
}

export interface RTCDtlsTransport {
  addEventListener: AddEventListener<RTCDtlsTransportEventMap>;
  removeEventListener: RemoveEventListener<RTCDtlsTransportEventMap>;
}

exposeInterface(RTCDtlsTransport, 'RTCDtlsTransport');
