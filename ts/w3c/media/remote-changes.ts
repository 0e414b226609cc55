import { createMediaStream, streamCoreOf, type MediaStream, type MediaStreamTrack } from '../../media';
import type { ReceiverCore } from './receiver-core';
import { RTCTrackEvent } from './track-event';
import { transceiverOf } from './transceiver';
import type { TransceiverCore } from './transceiver-core';

/**
 * What a description has changed about what is received (webrtc-pc 5.1.1). States change at once; the events are fired together, after
 * `signalingstatechange`.
 */
export class RemoteChanges {
  /** The peer's streams by id: those that there are, and those that this description brings. */
  readonly #streams: Map<string, MediaStream>;
  readonly #muted: ReceiverCore[] = [];
  readonly #removed: [MediaStream, MediaStreamTrack][] = [];
  readonly #added: [MediaStream, MediaStreamTrack][] = [];
  readonly #tracks: TransceiverCore[] = [];

  constructor(transceivers: readonly TransceiverCore[]) {
    const streams = transceivers.flatMap(({ receiver }) => receiver.streams);
    this.#streams = new Map(streams.map((stream) => [stream.id, stream]));
  }

  /** The peer sends, in these streams, or does not. */
  received(transceiver: TransceiverCore, receives: boolean, ids: readonly string[]): void {
    const { receiver } = transceiver;
    const joined = this.#associate(receiver, receives ? ids : []);
    if (receives && (joined || !receiver.receives)) this.#tracks.push(transceiver);
    if (!receives && receiver.receives) this.#muted.push(receiver);
    receiver.receives = receives;
  }

  /** "Set the associated remote streams". Returns whether the track is in one that it was not in before. */
  #associate(receiver: ReceiverCore, ids: readonly string[]): boolean {
    const before = receiver.streams;
    const { track } = receiver;
    receiver.streams = ids.map((id) => this.#stream(id));
    for (const stream of before) if (!receiver.streams.includes(stream)) this.#removed.push([stream, track]);
    const joined = receiver.streams.filter((stream) => !before.includes(stream));
    for (const stream of joined) this.#added.push([stream, track]);
    return joined.length > 0;
  }

  #stream(id: string): MediaStream {
    const stream = this.#streams.get(id) ?? createMediaStream(id);
    this.#streams.set(id, stream);
    return stream;
  }

  /** Fires the events. */
  announce(target: EventTarget): void {
    for (const receiver of this.#muted) receiver.setMuted(true);
    for (const [stream, track] of this.#removed) streamCoreOf(stream).remove(track);
    for (const [stream, track] of this.#added) streamCoreOf(stream).add(track);
    // Script may change things in between.
    const events = this.#tracks.map((core) => {
      const transceiver = transceiverOf(core);
      const { track, streams } = core.receiver;
      return { transceiver, receiver: transceiver.receiver, track, streams };
    });
    for (const init of events) target.dispatchEvent(new RTCTrackEvent('track', init));
  }
}
