// What stands between the pages: it forwards what is published to all who take it, as `examples/sfu.mts` does.
import { RTCPeerConnection, type MediaStreamTrack, type RTCRtpReceiver } from 'ossa-webrtc';

import { once } from '../../w3c/helper';
import type { Driver } from '../link';
import type { Seen, Sent } from './page';

/** What changes the candidates of descriptions on their way. */
type Through = (sdp: string) => Promise<string>;

export interface Publication {
  codec?: string;
  encodings?: object[];
  width?: number;
  height?: number;
}

/** So long a page has for what it is asked to show, on a busy machine. */
const PATIENCE_MS = 30_000;

let serial = 0;

/** A page's end of a connection. */
class PageEnd {
  readonly name = `connection ${serial++}`;
  constructor(readonly page: Driver) {}

  call<T = unknown>(method: string, params: object = {}): Promise<T> {
    return this.page.call<T>(method, { name: this.name, patience: PATIENCE_MS, ...params });
  }
}

/** A page that sends, and what we receive of it. */
export class Publisher extends PageEnd {
  constructor(
    page: Driver,
    readonly pc: RTCPeerConnection,
  ) {
    super(page);
  }
  get receiver(): RTCRtpReceiver {
    return this.pc.getReceivers()[0]!;
  }
  get track(): MediaStreamTrack {
    return this.receiver.track;
  }
  sent(): Promise<Sent[]> {
    return this.call('sent');
  }
}

/** A page that shows what we send. */
export class Taker extends PageEnd {
  constructor(
    page: Driver,
    readonly pc: RTCPeerConnection,
  ) {
    super(page);
  }
  /** So many more pictures are decoded. */
  watch(frames: number): Promise<Seen> {
    return this.call('watch', { frames });
  }
  /** Pictures become so wide. */
  width(width: number): Promise<Seen> {
    return this.call('width', { width });
  }
  /** From now on it gets another track. */
  async take(track: MediaStreamTrack): Promise<void> {
    await this.pc.getSenders()[0]!.replaceTrack(track);
  }
}

/** All that happens in a test, to be ended with it. */
export class VideoServer {
  readonly #ends: { pc: RTCPeerConnection; end: PageEnd }[] = [];
  constructor(readonly through: Through = (sdp) => Promise.resolve(sdp)) {}

  /** A page publishes its camera. */
  async publish(page: Driver, { codec = 'VP8', encodings, width = 320, height = 240 }: Publication = {}) {
    const pc = new RTCPeerConnection();
    const publisher = new Publisher(page, pc);
    this.#ends.push({ pc, end: publisher });
    const offer = await publisher.call<string>('publish', { codec, encodings, width, height });
    await pc.setRemoteDescription({ type: 'offer', sdp: await this.through(offer) });
    await pc.setLocalDescription();
    await publisher.call('accept', { sdp: await this.through(await gathered(pc)) });
    return publisher;
  }

  /** A page is shown a track. */
  async show(page: Driver, track: MediaStreamTrack): Promise<Taker> {
    const pc = new RTCPeerConnection();
    const taker = new Taker(page, pc);
    this.#ends.push({ pc, end: taker });
    pc.addTransceiver(track, { direction: 'sendonly' });
    await pc.setLocalDescription();
    const sdp = await taker.call<string>('show', { sdp: await this.through(await gathered(pc)) });
    await pc.setRemoteDescription({ type: 'answer', sdp: await this.through(sdp) });
    return taker;
  }

  /** A page asks for a track in layers. Browsers can't, so the lines that do are added to its offer, and those of the answer taken away. */
  async showLayers(page: Driver, track: MediaStreamTrack, rids: string[]): Promise<Taker> {
    const pc = new RTCPeerConnection();
    const taker = new Taker(page, pc);
    this.#ends.push({ pc, end: taker });
    pc.addTrack(track);
    const offer = await taker.call<string>('want');
    const lines = rids.map((rid) => `a=rid:${rid} recv\r\n`).join('');
    await pc.setRemoteDescription({ type: 'offer', sdp: `${offer}${lines}a=simulcast:recv ${rids.join(';')}\r\n` });
    await pc.setLocalDescription();
    const answer = await gathered(pc);
    await taker.call('accept', { sdp: answer.replace(/^a=(?:rid|simulcast):.*\r\n/gm, '') });
    return taker;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#ends.map(({ end }) => end.call('close')));
    for (const { pc } of this.#ends.splice(0)) pc.close();
  }
}

async function gathered(pc: RTCPeerConnection): Promise<string> {
  while (pc.iceGatheringState !== 'complete') await once(pc, 'icegatheringstatechange');
  return pc.localDescription!.sdp;
}
