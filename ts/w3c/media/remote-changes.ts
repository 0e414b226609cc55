import { createMediaStream, streamCoreOf, type MediaStream, type MediaStreamTrack } from '../../media';
import type { ReceiverCore } from './receiver-core';
import { RTCTrackEvent } from './track-event';
import { transceiverOf } from './transceiver';
import type { TransceiverCore } from './transceiver-core';

/** The peer's streams of a connection: one for each id, also when all its tracks have left it and others come, as long as anybody holds it. */
export class RemoteStreams {
  /** Made for the first one: most connections never get any, and a map takes 200 bytes. */
  #streams: Map<string, WeakRef<MediaStream>> | undefined;

  get(id: string): MediaStream {
    const streams = (this.#streams ??= new Map<string, WeakRef<MediaStream>>());
    const known = streams.get(id)?.deref();
    if (known) return known;
    for (const [gone, stream] of streams) if (!stream.deref()) streams.delete(gone);
    const stream = createMediaStream(id);
    streams.set(id, new WeakRef(stream));
    return stream;
  }
}

/**
 * What a description has changed about what is received (webrtc-pc 5.1.1). States change at once; the events are fired together, after
 * `signalingstatechange`.
 */
export class RemoteChanges {
  readonly #streams: RemoteStreams;
  readonly #muted: ReceiverCore[] = [];
  readonly #removed: [MediaStream, MediaStreamTrack][] = [];
  readonly #added: [MediaStream, MediaStreamTrack][] = [];
  readonly #tracks: TransceiverCore[] = [];

  constructor(streams: RemoteStreams) {
    this.#streams = streams;
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
    receiver.streams = ids.map((id) => this.#streams.get(id));
    for (const stream of before) if (!receiver.streams.includes(stream)) this.#removed.push([stream, track]);
    const joined = receiver.streams.filter((stream) => !before.includes(stream));
    for (const stream of joined) this.#added.push([stream, track]);
    return joined.length > 0;
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
