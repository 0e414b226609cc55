// Records the camera and the microphone of a page, as they are encoded: `npx tsx examples/video/recorder.mts [--codec vp9] [--port N] FILE...`, then open
// what it prints. A file is WebM (both), Ogg (the microphone) or IVF (the camera), as its name ends. Needs `npm install mediabunny`, which writes
// WebM and Ogg; `player.mts` shows what was recorded.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

import {
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  FilePathTarget,
  OggOutputFormat,
  Output,
  WebMOutputFormat,
} from 'mediabunny';
import { EncodedSink, RTCPeerConnection, RTCRtpReceiver, type MediaStreamTrack } from 'ossa-webrtc';

import { pictureSize, writeIvf, type PictureSize } from './ivf.mts';
import { duration, OPUS, withoutGaps } from './opus.mts';

const page = `<!doctype html><meta charset="utf-8"><title>A recorder</title><button>record</button><video muted autoplay></video>
<script type="module">
  const button = document.querySelector('button');
  button.onclick = async () => {
    if (globalThis.connection) return connection.close(), (button.disabled = true);
    button.textContent = 'stop';
    const stream = (document.querySelector('video').srcObject = await navigator.mediaDevices.getUserMedia({ audio: true, video: true }));
    globalThis.connection = new RTCPeerConnection();
    for (const track of stream.getTracks()) connection.addTransceiver(track, { direction: 'sendonly' });
    await connection.setLocalDescription();
    while (connection.iceGatheringState !== 'complete') {
      await new Promise((resolve) => (connection.onicegatheringstatechange = resolve));
    }
    const answer = await fetch('record', { method: 'POST', body: connection.localDescription.sdp });
    await connection.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  };
</script>`;

/** Ticks a second of the timestamps. */
const CLOCKS = { video: 90_000, audio: 48_000 };
/** What decoders of WebM want to know of each codec. */
const CODECS = { vp8: 'vp8', vp9: 'vp09.00.10.08' };

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: { codec: { type: 'string', default: 'vp8' }, port: { type: 'string', default: '0' } },
});
const codec = values.codec as keyof typeof CODECS;
const mimeType = `video/${codec.toUpperCase()}`;
if (!(codec in CODECS)) throw new Error(`--codec ${codec}: it has to be one of ${Object.keys(CODECS).join(', ')}`);
if (files.length === 0) throw new Error('Which files are to be written?');
const strange = files.find((file) => !/\.(webm|ogg|ivf)$/.test(file));
if (strange !== undefined) throw new Error(`${strange}: its name has to end with .webm, .ogg or .ivf`);

type Kind = 'audio' | 'video';
/** A file that is being written. */
interface Recording {
  /** Takes frames of these kinds. */
  kinds: Kind[];
  add: (kind: Kind, packet: EncodedPacket) => Promise<void>;
  finalize: () => Promise<void>;
}

/** Begins a file. */
async function begin(file: string, kinds: Kind[]): Promise<Recording> {
  if (file.endsWith('.ivf')) return pictures(file);
  const ogg = file.endsWith('.ogg');
  const output = new Output({
    format: ogg ? new OggOutputFormat() : new WebMOutputFormat(),
    target: new FilePathTarget(file),
  });
  const audio = new EncodedAudioPacketSource('opus');
  const video = new EncodedVideoPacketSource(codec);
  const held = kinds.filter((kind) => kind === 'audio' || !ogg);
  if (held.includes('audio')) output.addAudioTrack(audio);
  if (held.includes('video')) output.addVideoTrack(video);
  await output.start();
  const sound = (packet: EncodedPacket) => audio.add(packet, OPUS);
  const whole = ogg ? withoutGaps(sound) : sound;
  return {
    kinds: held,
    add: (kind, packet) => (kind === 'audio' ? whole(packet) : video.add(packet, described(packet))),
    finalize: () => output.finalize(),
  };
}

/** IVF says in its header how large the pictures are, so it begins with the first one. */
function pictures(file: string): Recording {
  let writer: Awaited<ReturnType<typeof writeIvf>> | undefined;
  return {
    kinds: ['video'],
    async add(_, packet) {
      writer ??= await writeIvf(file, mimeType, pictureSize(mimeType, packet.data));
      await writer.add(packet);
    },
    finalize: async () => writer?.close(),
  };
}

function described(packet: EncodedPacket) {
  if (packet.type !== 'key') return undefined;
  const { width, height }: PictureSize = pictureSize(mimeType, packet.data);
  return { decoderConfig: { codec: CODECS[codec], codedWidth: width, codedHeight: height } };
}

/** Writes what tracks carry until they end. */
async function record(tracks: MediaStreamTrack[]): Promise<void> {
  const start = performance.now();
  const kinds = tracks.map(({ kind }) => kind as Kind);
  const recordings = await Promise.all(files.map((file) => begin(file, kinds)));
  await Promise.all(tracks.map((track) => recordTrack(track, recordings, start)));
  await Promise.all(recordings.map((recording) => recording.finalize()));
  console.log(`recorded ${((performance.now() - start) / 1000).toFixed(1)} s into ${files.join(' and ')}`);
}

async function recordTrack(track: MediaStreamTrack, recordings: Recording[], start: number): Promise<void> {
  const kind = track.kind as Kind;
  const takers = recordings.filter(({ kinds }) => kinds.includes(kind));
  let last: { rtpTimestamp: number; now: number; at: number } | undefined;
  for await (const frame of new EncodedSink(track)) {
    const data = new Uint8Array(frame.data);
    const { rtpTimestamp = 0 } = frame.getMetadata();
    // Timestamps of a stream begin anywhere and wrap. Both streams begin when their first frame has come.
    const now = (performance.now() - start) / 1000;
    const passed = last ? ((rtpTimestamp - last.rtpTimestamp) >>> 0) / CLOCKS[kind] : 0;
    // A stream that begins anew tells nothing of the time between.
    const at: number = last ? last.at + (passed < 60 ? passed : now - last.now) : now;
    last = { rtpTimestamp, now, at };
    const type = 'type' in frame ? frame.type : 'key';
    const packet = new EncodedPacket(data, type, at, kind === 'audio' ? duration(data) : 0);
    await Promise.all(takers.map((taker) => taker.add(kind, packet)));
  }
}

/** Takes the page's offer and gives the answer to it. */
async function answer(request: IncomingMessage): Promise<string> {
  const connection = new RTCPeerConnection();
  connection.onconnectionstatechange = () => {
    const { connectionState } = connection;
    console.log(`the page is ${connectionState}`);
    if (connectionState === 'disconnected' || connectionState === 'failed') connection.close();
  };
  await connection.setRemoteDescription({ type: 'offer', sdp: await text(request) });
  // The file is to have one codec; a page offers several.
  for (const transceiver of connection.getTransceivers().filter(({ receiver }) => receiver.track.kind === 'video')) {
    const { codecs } = RTCRtpReceiver.getCapabilities('video')!;
    transceiver.setCodecPreferences(codecs.filter((one) => one.mimeType === mimeType || one.mimeType === 'video/rtx'));
  }
  void record(connection.getReceivers().map(({ track }) => track)).catch((error: unknown) => console.error(error));
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete') {
    await new Promise((resolve) => (connection.onicegatheringstatechange = resolve));
  }
  return connection.localDescription!.sdp;
}

const web = createServer((request, response) => {
  void (async () => {
    if (request.url === '/') response.setHeader('content-type', 'text/html').end(page);
    else if (request.url === '/record' && request.method === 'POST') response.end(await answer(request));
    else response.writeHead(404).end();
  })().catch((error: unknown) => response.writeHead(400).end(String(error)));
});
await new Promise<void>((resolve) => web.listen(Number(values.port), '127.0.0.1', resolve));
console.log(`open http://127.0.0.1:${(web.address() as AddressInfo).port}/`);
process.once('SIGTERM', () => process.exit());
