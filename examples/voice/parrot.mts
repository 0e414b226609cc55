// A voice agent for a browser's page: it listens, waits for a pause, and answers. `npx tsx examples/voice/parrot.mts [port]`, then open what it prints.
// This one says back what it has heard; in yours `answer` asks a recogniser, a model and a synthesiser.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as thinking } from 'node:timers/promises';

import { PCMSink, PCMSource, RTCPeerConnection, type MediaStreamTrack } from 'ossa-webrtc';

/** What recognisers like. */
const RATE = 16_000;
/** Bytes of 100 ms. */
const STEP = (RATE / 10) * 2;

const page = join(process.env['PAGE_FOLDER'] ?? join(process.cwd(), 'examples', 'voice'), 'index.html');
const open = new Set<RTCPeerConnection>();

/** What the agent says to what it was told, piece by piece, as a synthesiser gives it. */
async function* answer(speech: Uint8Array): AsyncGenerator<Uint8Array> {
  await thinking(200);
  yield speech;
}

/** Cuts what comes in where the speaker pauses, and after two seconds at the latest. */
async function* sentences(track: MediaStreamTrack): AsyncGenerator<Uint8Array> {
  let sentence: Uint8Array[] = [];
  let quiet = 0;
  const sink = new PCMSink(track, { sampleRate: RATE });
  for await (const chunk of sink) {
    const speaking = sink.level > 0.02;
    quiet = speaking ? 0 : quiet + chunk.length;
    if (speaking || sentence.length > 0) sentence.push(chunk);
    const length = sentence.reduce((sum, { length }) => sum + length, 0);
    if (length === 0 || (quiet < 3 * STEP && length < 20 * STEP)) continue;
    yield Buffer.concat(sentence);
    sentence = [];
  }
}

async function converse(track: MediaStreamTrack, voice: PCMSource): Promise<void> {
  const writer = voice.writable.getWriter();
  for await (const speech of sentences(track)) {
    console.log(`heard ${(speech.length / RATE / 2).toFixed(1)} s of speech`);
    for await (const piece of answer(speech)) await writer.write(piece);
  }
}

/** Takes the page's offer and gives the answer to it. */
async function call(request: IncomingMessage): Promise<string> {
  const connection = new RTCPeerConnection();
  open.add(connection);
  const voice = new PCMSource({ sampleRate: RATE });
  connection.addTrack(voice.track);
  connection.ontrack = ({ track }) => void converse(track, voice).catch((error: unknown) => console.error(error));
  connection.onconnectionstatechange = () => {
    console.log(`the call is ${connection.connectionState}`);
    if (connection.connectionState === 'disconnected' || connection.connectionState === 'failed') hangUp();
  };
  const hangUp = () => {
    voice.track.stop();
    connection.close();
    open.delete(connection);
  };
  await connection.setRemoteDescription({ type: 'offer', sdp: await text(request) });
  await connection.setLocalDescription();
  // The page gets one answer, with all candidates in it.
  while (connection.iceGatheringState !== 'complete') {
    await new Promise((resolve) => connection.addEventListener('icegatheringstatechange', resolve, { once: true }));
  }
  return connection.localDescription?.sdp ?? '';
}

const web = createServer((request, response) => {
  void (async () => {
    if (request.url === '/') response.setHeader('content-type', 'text/html').end(await readFile(page));
    else if (request.url === '/call' && request.method === 'POST') response.end(await call(request));
    else response.writeHead(404).end();
  })().catch((error: unknown) => response.writeHead(400).end(String(error)));
});
await new Promise<void>((resolve) => web.listen(Number(process.argv[2] ?? 0), '127.0.0.1', resolve));
console.log(`open http://127.0.0.1:${(web.address() as AddressInfo).port}/`);

const stop = () => {
  for (const connection of open) connection.close();
  web.close();
  web.closeAllConnections();
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
