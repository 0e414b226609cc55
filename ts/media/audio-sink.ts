/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging -- the merged interfaces only refine types of members that are there */
import { detachAudio, keepAlive, openAudioTap, type NativeAudioTap } from '../native';
import { Event, EventTarget } from '../platform';
import { nativeCall, type AddEventListener, type RemoveEventListener } from '../w3c/events';
import {
  conversionFailed,
  EventHandlers,
  exposeInterface,
  instanceOf,
  requireArguments,
  type EventHandler,
} from '../webidl';
import type { RTCAudioData } from './audio-source';
import { coreOf, isMediaStreamTrack, type MediaStreamTrack } from './track';

/** How much may wait for a program that is busy, in milliseconds; more is dropped, the oldest first: it would only add to the delay. */
const BUFFER_DURATION = 1000;

/** `data`: a block of samples. The block's members are the event's, as in node-webrtc. */
export interface RTCAudioDataEvent extends Event, Required<RTCAudioData> {}

/** All blocks of all calls come as one of these: members that are there from the start cost less than such as are put on later. */
class AudioDataEvent extends Event implements RTCAudioDataEvent {
  readonly bitsPerSample = 16;
  readonly numberOfFrames: number;

  constructor(
    readonly samples: Int16Array,
    readonly sampleRate: number,
    readonly channelCount: number,
  ) {
    super('data');
    this.numberOfFrames = samples.length / channelCount;
  }
}

/** Events of {@link RTCAudioSink}. */
export interface RTCAudioSinkEventMap {
  /** A block, as the track has it. */
  data: RTCAudioDataEvent;
}

const convertTrack = instanceOf('MediaStreamTrack', isMediaStreamTrack);

/** Reads a track as blocks of samples, as in node-webrtc. It keeps the process alive until it is stopped. */
export class RTCAudioSink extends EventTarget {
  readonly #handlers = new EventHandlers(this);
  readonly #tap: NativeAudioTap;
  readonly #id: number;
  readonly #release: () => void;
  #stopped = false;

  /** @throws TypeError if it is not a track of audio whose samples are at hand. */
  constructor(track: MediaStreamTrack) {
    requireArguments(arguments.length, 1, 'new RTCAudioSink');
    const { audio } = coreOf(convertTrack(track, 'track'));
    if (!audio) conversionFailed('track', 'is not a track of audio samples');
    super();
    [this.#tap, this.#id] = nativeCall(() => openAudioTap(audio, undefined, BUFFER_DURATION, () => this.#read()));
    this.#release = keepAlive();
  }

  /** {@link stop} was called, or the track is over. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** No block comes any more. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#tap.stop();
    detachAudio(this.#id);
    this.#release();
  }

  /** A block, as the track has it. */
  get ondata(): EventHandler<RTCAudioDataEvent> {
    return this.#handlers.get('data');
  }
  set ondata(value: EventHandler<RTCAudioDataEvent>) {
    this.#handlers.set('data', value);
  }

  #read(): void {
    for (let block; !this.#stopped && (block = this.#tap.readBlock());) {
      this.dispatchEvent(new AudioDataEvent(...block));
    }
    if (this.#tap.ended()) this.stop();
  }
}

export interface RTCAudioSink {
  addEventListener: AddEventListener<RTCAudioSinkEventMap>;
  removeEventListener: RemoveEventListener<RTCAudioSinkEventMap>;
}

exposeInterface(RTCAudioSink, 'RTCAudioSink');
