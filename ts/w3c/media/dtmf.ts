/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging -- the merged interfaces only refine types of members that are there */
import { Event, EventTarget } from '../../platform';
import {
  constructible,
  dictionary,
  DOMString,
  EventHandlers,
  exposeInterface,
  illegalConstructor,
  requireArguments,
  unsignedLong,
  type EventHandler,
} from '../../webidl';
import { convertEventInit, type AddEventListener, type RemoveEventListener, type RTCEventInit } from '../events';
import type { DtmfCore } from './dtmf-core';

/** Options of {@link RTCDTMFToneChangeEvent}. */
export interface RTCDTMFToneChangeEventInit extends RTCEventInit {
  /** The tone that begins. Default: `''`, all have been sent. */
  tone?: string;
}

const convertToneChangeInit = dictionary<RTCDTMFToneChangeEventInit, RTCEventInit>(
  'RTCDTMFToneChangeEventInit',
  { tone: { type: DOMString, default: () => '' } },
  convertEventInit,
);

/** `tonechange` of an {@link RTCDTMFSender} (webrtc-pc 7.3). */
export class RTCDTMFToneChangeEvent extends Event {
  readonly #tone: string;

  /** @throws TypeError for members of a wrong type. */
  constructor(type: string, eventInitDict: RTCDTMFToneChangeEventInit = {}) {
    requireArguments(arguments.length, 1, 'new RTCDTMFToneChangeEvent');
    const name = DOMString(type, 'type');
    const init = convertToneChangeInit(eventInitDict, 'RTCDTMFToneChangeEventInit');
    super(name, init);
    this.#tone = init.tone ?? '';
  }

  /** The tone that begins; `''` when all have been sent. */
  get tone(): string {
    return this.#tone;
  }
}

exposeInterface(RTCDTMFToneChangeEvent, 'RTCDTMFToneChangeEvent');

/** Events of {@link RTCDTMFSender}. */
export interface RTCDTMFSenderEventMap {
  /** A tone begins, or all have been sent. */
  tonechange: RTCDTMFToneChangeEvent;
}

export let createDtmfSender: (core: DtmfCore) => RTCDTMFSender;

/** Sends the tones of a telephone's keys in place of audio (webrtc-pc 7.2; RFC 4733). */
export class RTCDTMFSender extends EventTarget {
  readonly #core: DtmfCore;
  readonly #handlers = new EventHandlers(this);

  private constructor(...args: unknown[]) {
    illegalConstructor(args[0], 'RTCDTMFSender');
    super();
    this.#core = args[1] as DtmfCore;
    this.#core.ontone = (tone) => this.dispatchEvent(new RTCDTMFToneChangeEvent('tonechange', { tone }));
  }

  /**
   * Sends tones, in place of those that are still waiting.
   *
   * @param tones `0` to `9`, `A` to `D`, `#` and `*`; a comma is a pause of two seconds. Empty: nothing any more.
   * @param duration of a tone in milliseconds, kept between 40 and 6,000.
   * @param interToneGap between tones in milliseconds, kept between 30 and 6,000.
   * @throws DOMException `InvalidStateError` unless {@link canInsertDTMF}; `InvalidCharacterError` for other characters.
   */
  insertDTMF(tones: string, duration = 100, interToneGap = 70): void {
    const core = this.#core;
    requireArguments(arguments.length, 1, 'RTCDTMFSender.insertDTMF');
    core.insert(
      DOMString(tones, 'tones'),
      unsignedLong(duration, 'duration'),
      unsignedLong(interToneGap, 'interToneGap'),
    );
  }

  /** A tone begins, or all have been sent. */
  get ontonechange(): EventHandler<RTCDTMFToneChangeEvent> {
    return this.#handlers.get('tonechange');
  }
  set ontonechange(value: EventHandler<RTCDTMFToneChangeEvent>) {
    this.#handlers.set('tonechange', value);
  }
  /** The connection stands, audio is sent, and the peer takes tones. */
  get canInsertDTMF(): boolean {
    return this.#core.canInsert;
  }
  /** Tones that are still waiting. */
  get toneBuffer(): string {
    return this.#core.toneBuffer;
  }

  static {
    createDtmfSender = (core) => new RTCDTMFSender(constructible, core);
  }
}

export interface RTCDTMFSender {
  addEventListener: AddEventListener<RTCDTMFSenderEventMap>;
  removeEventListener: RemoveEventListener<RTCDTMFSenderEventMap>;
}

exposeInterface(RTCDTMFSender, 'RTCDTMFSender');
