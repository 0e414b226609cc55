/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging -- the merged interfaces only refine types of members that are there */
import { EventTarget } from '../../platform';
import { constructible, EventHandlers, exposeInterface, illegalConstructor, type EventHandler } from '../../webidl';
import type { RTCSctpTransportState } from '../enums';
import type { AddEventListener, RemoveEventListener } from '../events';
import type { RTCDtlsTransport } from './dtls';

/** What an {@link RTCSctpTransport} shows; the connection keeps it up to date. */
export interface SctpTransportSlots {
  state: RTCSctpTransportState;
  maxMessageSize: number | null;
  maxChannels: number | null;
}

/** What an {@link RTCSctpTransport} asks its connection for. */
export interface SctpTransportHost {
  readonly dtlsTransport: RTCDtlsTransport;
}

/** Events of {@link RTCSctpTransport}. */
export interface RTCSctpTransportEventMap {
  /** `state` has changed. */
  statechange: Event;
}

export let createSctpTransport: (slots: SctpTransportSlots, host: SctpTransportHost) => RTCSctpTransport;

/** The SCTP transport that carries the data channels of a connection (webrtc-pc 6.1.1). */
export class RTCSctpTransport extends EventTarget {
  readonly #slots: SctpTransportSlots;
  readonly #host: SctpTransportHost;
  readonly #handlers = new EventHandlers(this);

  private constructor(...args: unknown[]) {
    illegalConstructor(args[0], 'RTCSctpTransport');
    super();
    this.#slots = args[1] as SctpTransportSlots;
    this.#host = args[2] as SctpTransportHost;
  }

  /** The transport below. */
  get transport(): RTCDtlsTransport {
    return this.#host.dtlsTransport;
  }
  /** State of the SCTP association. */
  get state(): RTCSctpTransportState {
    return this.#slots.state;
  }
  /** Largest message that `send()` takes, in bytes; `null` before an answer (webrtc-pc 6.1.1). */
  get maxMessageSize(): number | null {
    return this.#slots.maxMessageSize;
  }
  /** Largest number of channels, known once connected. */
  get maxChannels(): number | null {
    return this.#slots.maxChannels;
  }

  /** `state` has changed. */
  get onstatechange(): EventHandler {
    return this.#handlers.get('statechange');
  }
  set onstatechange(value: EventHandler) {
    this.#handlers.set('statechange', value);
  }

  static {
    createSctpTransport = (slots, host) => new RTCSctpTransport(constructible, slots, host);
  }
}

export interface RTCSctpTransport {
  addEventListener: AddEventListener<RTCSctpTransportEventMap>;
  removeEventListener: RemoveEventListener<RTCSctpTransportEventMap>;
}

exposeInterface(RTCSctpTransport, 'RTCSctpTransport');
