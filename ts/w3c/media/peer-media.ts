import type { ConnectCause } from '../../base';
import { DOMException } from '../../platform';
import type { MediaStream, MediaStreamTrack } from '../../media';
import type { NativeDirection, NativeMediaEvent, NativeTransceiver } from '../../native';
import { nativeCall } from '../events';
import type { RTCStats } from '../stats';
import type { RTCDtlsTransport } from '../transports';
import { capabilities, toNativeEncoding, type Kind } from './codecs';
import { initialEncodings } from './encodings';
import { FaultEvent } from './fault-event';
import type { MediaHost } from './host';
import type { RTCRtpEncodingParameters } from './parameters';
import type { RTCRtpReceiver } from './receiver';
import type { ReceiverCore } from './receiver-core';
import { RemoteChanges, RemoteStreams } from './remote-changes';
import { senderCoreOf, type RTCRtpSender } from './sender';
import { transceiverOf, type RTCRtpTransceiver } from './transceiver';
import { TransceiverCore } from './transceiver-core';

/** As many as somebody would read. */
const MAX_FAULTS = 16;

/** A section of a description. */
export interface DescribedSection {
  mid: string | null;
  /** Its port is 0, and it is not bundled. */
  rejected: boolean;
}

/** A description that was set. */
export interface AppliedDescription {
  remote: boolean;
  type: 'offer' | 'answer' | 'pranswer' | 'rollback';
  sections: readonly DescribedSection[];
  transceivers: readonly NativeTransceiver[];
  /** What everything is sent over. */
  transport: RTCDtlsTransport | null;
}

/** What a transceiver is to be like. */
interface NewTransceiver {
  kind: Kind;
  track: MediaStreamTrack | null;
  direction: NativeDirection;
  streams: readonly MediaStream[];
  encodings: readonly RTCRtpEncodingParameters[];
  byTrack: boolean;
}

/** The transceivers of a connection, and what is done to them together (webrtc-pc 5.1). */
export class PeerMedia {
  readonly #host: MediaHost;
  /** Why media does not flow where both descriptions say that it does, the latest last. */
  readonly faults: ConnectCause[] = [];
  /** "The set of transceivers", in the order in which they were made. */
  #transceivers: TransceiverCore[] = [];
  readonly #streams = new RemoteStreams();

  constructor(host: MediaHost) {
    this.#host = host;
  }

  /** "CollectTransceivers". */
  get transceivers(): RTCRtpTransceiver[] {
    return this.#transceivers.map(transceiverOf);
  }
  /** "CollectSenders". */
  get senders(): RTCRtpSender[] {
    return this.#running().map((core) => transceiverOf(core).sender);
  }
  /** "CollectReceivers". */
  get receivers(): RTCRtpReceiver[] {
    return this.#running().map((core) => transceiverOf(core).receiver);
  }

  #running(): TransceiverCore[] {
    return this.#transceivers.filter(({ isStopped }) => !isStopped);
  }

  addTrack(track: MediaStreamTrack, streams: readonly MediaStream[]): RTCRtpSender {
    this.#throwIfClosed();
    const running = this.#running();
    if (running.some(({ sender }) => sender.track === track)) {
      throw new DOMException('The track is sent already', 'InvalidAccessError');
    }
    const kind = track.kind as Kind;
    const free = running.find((one) => !one.sender.track && one.kind === kind && !one.isStopping && !one.hasSent);
    if (!free) {
      const init = { kind, track, direction: 'sendrecv', streams, encodings: [], byTrack: true } as const;
      return transceiverOf(this.#add(init)).sender;
    }
    free.sender.setStreams(idsOf(streams), true);
    free.sender.setTrack(track);
    free.setSending(true);
    this.#host.updateNegotiationNeeded();
    return transceiverOf(free).sender;
  }

  removeTrack(sender: RTCRtpSender): void {
    this.#throwIfClosed();
    const core = senderCoreOf(sender);
    if (core.host !== this.#host) {
      throw new DOMException('The sender belongs to another connection', 'InvalidAccessError');
    }
    if (core.transceiver.isStopping || !core.track) return;
    core.setTrack(null);
    core.transceiver.setSending(false);
    this.#host.updateNegotiationNeeded();
  }

  addTransceiver(kind: Kind, init: Omit<NewTransceiver, 'kind' | 'byTrack'>): RTCRtpTransceiver {
    this.#throwIfClosed();
    return transceiverOf(this.#add({ ...init, kind, byTrack: false }));
  }

  #add(init: NewTransceiver): TransceiverCore {
    const core = this.#create(init);
    this.#host.updateNegotiationNeeded();
    return core;
  }

  #create({ kind, track, direction, streams, encodings: given, byTrack }: NewTransceiver): TransceiverCore {
    const encodings = initialEncodings(kind, given, capabilities(kind)?.codecs ?? []);
    const ids = idsOf(streams);
    // What stands for the sender in descriptions: each has its own, also where two send the same track.
    const named = track && this.#transceivers.every(({ sender }) => sender.track !== track) ? track.id : undefined;
    const { id, receiverTrack } = nativeCall(() =>
      this.#host.native.media.addTransceiver(kind, {
        ...{ direction, streams: ids, track: named, byTrack },
        encodings: encodings.map(toNativeEncoding),
      }),
    );
    const core = new TransceiverCore(this.#host, {
      id,
      kind,
      direction,
      receiverTrack,
      track,
      streams: ids,
      encodings,
    });
    core.sender.setTrack(track);
    this.#transceivers.push(core);
    return core;
  }

  /** The options `offerToReceiveAudio` and `offerToReceiveVideo` of `createOffer()` (webrtc-pc 4.4.3.2). */
  offerToReceive(kind: Kind, wanted: boolean): void {
    const ofKind = this.#transceivers.filter((one) => one.kind === kind && !one.isStopping);
    const receiving = ofKind.filter(({ direction }) => direction === 'sendrecv' || direction === 'recvonly');
    if (!wanted) {
      for (const one of receiving) one.changeDirection(one.direction === 'sendrecv' ? 'sendonly' : 'inactive');
    } else if (receiving.length === 0) {
      this.#create({ kind, track: null, direction: 'recvonly', streams: [], encodings: [], byTrack: false });
    }
    this.#host.offerChanged();
  }

  /** Takes over what a description has changed. What is returned is to be announced after `signalingstatechange`. */
  applied({ remote, type, sections, transceivers, transport }: AppliedDescription): RemoteChanges {
    const changes = new RemoteChanges(this.#streams);
    const known = new Set(this.#transceivers.map(({ id }) => id));
    for (const one of transceivers) if (!known.has(one.id)) this.#transceivers.push(this.#madeByPeer(one));
    if (this.#transceivers.length === 0) return changes;
    const parameters = this.#host.native.media.parameters();
    const states = new Map(transceivers.map((one) => [one.id, one]));
    const rejected = sections.filter((section) => remote && section.rejected).map(({ mid }) => mid);
    for (const core of this.#inOrder(sections, states)) {
      const state = states.get(core.id);
      changes.received(core, state?.receives ?? false, state?.receiverStreams ?? []);
      if (state) core.update(state, type);
      if (!state || (core.mid !== null && rejected.includes(core.mid))) core.stopped();
      if (!state) core.mid = null;
      core.negotiated(parameters.find(({ transceiver }) => transceiver === core.id) ?? null);
      if (remote || type !== 'offer') core.sender.forgetParameters();
      if (core.mid === null) core.transport = null;
      else if (!remote && type !== 'rollback') core.transport = transport;
    }
    this.#transceivers = this.#transceivers.filter(({ id }) => states.has(id));
    return changes;
  }

  /** As their sections stand in the description, then the others. */
  #inOrder(
    sections: readonly DescribedSection[],
    states: ReadonlyMap<number, NativeTransceiver>,
  ): readonly TransceiverCore[] {
    const mids = sections.map(({ mid }) => mid);
    const place = ({ id }: TransceiverCore) => {
      const index = mids.indexOf(states.get(id)?.mid ?? null);
      return index < 0 ? mids.length : index;
    };
    return [...this.#transceivers].sort((one, other) => place(one) - place(other));
  }

  #madeByPeer({ id, kind, direction, receiverTrack }: NativeTransceiver): TransceiverCore {
    const encodings = initialEncodings(kind, [], []);
    const sender = { track: null, streams: [], encodings };
    return new TransceiverCore(this.#host, { id, kind, direction: direction ?? 'inactive', receiverTrack, ...sender });
  }

  /** What the core tells of audio and video. */
  onEvent(event: NativeMediaEvent): void {
    switch (event.type) {
      case 'mute':
      case 'unmute':
        return this.#receiver(event.transceiver)?.setMuted(event.type === 'mute', event.rid);
      case 'mediaFault':
        return this.fault(event.message, event.transceiver);
      case 'keyFrameRequested':
      case 'targetBitrate':
      case 'streamStarted':
      case 'bye':
        return;
    }
  }

  #receiver(transceiver: number): ReceiverCore | undefined {
    return this.#transceivers.find(({ id }) => id === transceiver)?.receiver;
  }

  /** Media does not flow where it should: `mediafault`. Once for each reason, of which the latest are kept. */
  fault(text: string, transceiver: number | null): void {
    if (this.faults.some((known) => known.text === text)) return;
    const cause: ConnectCause = { kind: 'media-refused', code: 0, text };
    this.faults.push(cause);
    if (this.faults.length > MAX_FAULTS) this.faults.shift();
    const core = this.#transceivers.find(({ id }) => id === transceiver);
    this.#host.target.dispatchEvent(new FaultEvent(cause, core ? transceiverOf(core) : null));
  }

  /** The entries that are about a track, for `getStats(track)`; what they refer to comes in addition. */
  statsOf(track: MediaStreamTrack): (entry: RTCStats) => boolean {
    const sending = this.#running().filter(({ sender }) => sender.track === track);
    const receiving = this.#running().filter(({ receiver }) => receiver.track === track);
    const [core] = [...sending, ...receiving];
    if (!core || sending.length + receiving.length > 1) {
      const many = core ? 'more than one sender or receiver has' : 'no sender or receiver has';
      throw new DOMException(`${many} this track`, 'InvalidAccessError');
    }
    return (sending.length > 0 ? core.sender : core.receiver).statsFilter();
  }

  /** The connection was closed. */
  close(): void {
    for (const core of this.#transceivers) core.stopped();
  }

  #throwIfClosed(): void {
    if (this.#host.isClosed) throw new DOMException('The connection is closed', 'InvalidStateError');
  }
}

/** Each once. */
function idsOf(streams: readonly MediaStream[]): string[] {
  return [...new Set(streams.map(({ id }) => id))];
}
