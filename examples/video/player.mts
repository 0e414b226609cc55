// Shows files of WebM, Ogg and IVF in a page, as they are encoded: `npx tsx examples/video/player.mts [--port N] FILE...`, then open what it prints. Of several,
// picture and sound for example, all are played at once. With `-` in place of them it is what FFmpeg makes of anything, live, for everybody who looks;
// docs/encoded.md has the command. Needs `npm install mediabunny`.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as until } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { EncodedPacketSink, FilePathSource, Input, OGG, ReadableStreamSource, WEBM } from 'mediabunny';
import { EncodedSource, RTCPeerConnection } from 'ossa-webrtc';

import { readIvf } from './ivf.mts';

const page = `<!doctype html><meta charset="utf-8"><title>A player</title><button>play</button><video autoplay controls></video>
<script type="module">
  document.querySelector('button').onclick = async () => {
    const connection = (globalThis.connection = new RTCPeerConnection());
    const [stream, video] = [new MediaStream(), document.querySelector('video')];
    connection.ontrack = ({ track }) => (stream.addTrack(track), (video.srcObject = stream));
    for (const kind of ['audio', 'video']) connection.addTransceiver(kind, { direction: 'recvonly' });
    await connection.setLocalDescription();
    while (connection.iceGatheringState !== 'complete') {
      await new Promise((resolve) => (connection.onicegatheringstatechange = resolve));
    }
    const answer = await fetch('play', { method: 'POST', body: connection.localDescription.sdp });
    await connection.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  };
</script>`;

const CODECS: Record<string, string> = { vp8: 'video/VP8', vp9: 'video/VP9', av1: 'video/AV1', opus: 'audio/opus' };

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '0' } },
});
if (files.length === 0) throw new Error('Which files are to be shown?');
const piped = files.includes('-');
if (piped && files.length > 1)
  throw new Error(`${files.join(' ')}: what FFmpeg makes can't be shown together with files`);

/** One stream of a file: its codec, and when its frames are to be shown, in seconds. */
interface Part {
  mimeType: string;
  frames: () => AsyncIterable<{ data: Uint8Array; timestamp: number }>;
}

async function parts(file: string): Promise<Part[]> {
  if (file.endsWith('.ivf')) return [await readIvf(file)];
  const stream = () => new ReadableStreamSource(Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>);
  const input = new Input({ formats: [WEBM, OGG], source: file === '-' ? stream() : new FilePathSource(file) });
  return (await input.getTracks()).flatMap((track) => {
    const mimeType = CODECS[track.codec ?? ''];
    return mimeType === undefined ? [] : [{ mimeType, frames: () => new EncodedPacketSink(track).packets() }];
  });
}

/** What the files have: tracks, and what lets them play. */
async function open() {
  const found = (await Promise.all(files.map(parts))).flat();
  const shown = found.map((part) => ({ ...part, source: new EncodedSource(part) }));
  return {
    tracks: shown.map(({ source }) => source.track),
    async play() {
      const begin = performance.now();
      await Promise.all(shown.map((part) => pace(part, part.source, begin)));
      shown.forEach(({ source }) => source.close());
    },
    close: () => shown.forEach(({ source }) => source.close()),
  };
}

/** Frames go out when they are written, so each waits for its time. */
async function pace({ frames }: Part, source: EncodedSource, begin: number): Promise<void> {
  for await (const { data, timestamp } of frames()) {
    await until(begin + timestamp * 1000 - performance.now());
    if (source.track.readyState === 'ended') return;
    source.write({ data, timestamp: timestamp * 1e6 });
  }
}

const live = piped ? await open() : undefined;
live?.play().catch((error: unknown) => console.error(error));

/** Takes the page's offer and gives the answer to it. */
async function answer(request: IncomingMessage): Promise<string> {
  const shown = live ?? (await open());
  const connection = new RTCPeerConnection();
  connection.onconnectionstatechange = () => {
    const { connectionState } = connection;
    console.log(`the page is ${connectionState}`);
    // Everybody sees a file from its begin.
    if (connectionState === 'connected' && shown !== live) void shown.play().then(() => console.log('the end'));
    if (connectionState === 'disconnected' || connectionState === 'failed') connection.close();
    if (connection.connectionState === 'closed' && shown !== live) shown.close();
  };
  await connection.setRemoteDescription({ type: 'offer', sdp: await text(request) });
  for (const track of shown.tracks) connection.addTrack(track);
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete') {
    await new Promise((resolve) => (connection.onicegatheringstatechange = resolve));
  }
  return connection.localDescription!.sdp;
}

const web = createServer((request, response) => {
  void (async () => {
    if (request.url === '/') response.setHeader('content-type', 'text/html').end(page);
    else if (request.url === '/play' && request.method === 'POST') response.end(await answer(request));
    else response.writeHead(404).end();
  })().catch((error: unknown) => response.writeHead(400).end(String(error)));
});
await new Promise<void>((resolve) => web.listen(Number(values.port), '127.0.0.1', resolve));
console.log(`open http://127.0.0.1:${(web.address() as AddressInfo).port}/`);
process.once('SIGTERM', () => process.exit());
