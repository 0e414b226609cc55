// Records the camera and the microphone of a page into a WebM file, as they are encoded: `npx tsx examples/video/recorder.mts FILE.webm [port]`, then
// open what it prints. Needs `npm install mediabunny`, which writes the file; `player.mts` shows it.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import {
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  FilePathTarget,
  Output,
  WebMOutputFormat,
} from 'mediabunny';
import { EncodedSink, RTCPeerConnection, RTCRtpReceiver, type MediaStreamTrack } from 'ossa-webrtc';

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

const file = process.argv[2];
if (file === undefined) throw new Error('Which file is to be written?');

/** Writes what tracks carry until they end. */
async function record(tracks: MediaStreamTrack[]): Promise<void> {
  const output = new Output({ format: new WebMOutputFormat(), target: new FilePathTarget(file!) });
  const begin = performance.now();
  const written = tracks.map((track) => {
    const video = track.kind === 'video' ? new EncodedVideoPacketSource('vp8') : undefined;
    const audio = video ? undefined : new EncodedAudioPacketSource('opus');
    if (video) output.addVideoTrack(video);
    if (audio) output.addAudioTrack(audio);
    return {
      track,
      add: (packet: EncodedPacket, size?: Size) => (video ? addVideo(video, packet, size) : audio!.add(packet, OPUS)),
    };
  });
  await output.start();
  await Promise.all(
    written.map(async ({ track, add }) => {
      const clock = CLOCKS[track.kind as 'audio' | 'video'];
      let at = 0;
      let last: number | undefined;
      for await (const frame of new EncodedSink(track)) {
        const data = new Uint8Array(frame.data);
        const { rtpTimestamp = 0 } = frame.getMetadata();
        // Timestamps of a stream begin anywhere and wrap. Both streams begin when their first frame has come.
        if (last === undefined) at = (performance.now() - begin) / 1000;
        else at += ((rtpTimestamp - last) >>> 0) / clock;
        last = rtpTimestamp;
        const type = 'type' in frame ? frame.type : 'key';
        await add(new EncodedPacket(data, type, at, track.kind === 'audio' ? 0.02 : 0), sizeOf(data));
      }
    }),
  );
  await output.finalize();
  console.log(`recorded ${((performance.now() - begin) / 1000).toFixed(1)} s into ${file}`);
}

type Size = { codedWidth: number; codedHeight: number };
const OPUS = { decoderConfig: { codec: 'opus', sampleRate: 48_000, numberOfChannels: 2 } };

/** Of a key frame of VP8 (RFC 6386, section 9.1). */
function sizeOf(frame: Uint8Array): Size {
  const { buffer, byteOffset, byteLength } = frame;
  const view = new DataView(buffer, byteOffset, byteLength);
  if (byteLength < 10) return { codedWidth: 0, codedHeight: 0 };
  return { codedWidth: view.getUint16(6, true) & 0x3fff, codedHeight: view.getUint16(8, true) & 0x3fff };
}

function addVideo(source: EncodedVideoPacketSource, packet: EncodedPacket, size: Size | undefined): Promise<void> {
  return source.add(packet, packet.type === 'key' ? { decoderConfig: { codec: 'vp8', ...size } } : undefined);
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
  // The file is to have VP8; a page offers several codecs.
  for (const transceiver of connection.getTransceivers().filter(({ receiver }) => receiver.track.kind === 'video')) {
    const { codecs } = RTCRtpReceiver.getCapabilities('video')!;
    transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => /VP8|rtx/.test(mimeType)));
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
await new Promise<void>((resolve) => web.listen(Number(process.argv[3] ?? 0), '127.0.0.1', resolve));
console.log(`open http://127.0.0.1:${(web.address() as AddressInfo).port}/`);
process.once('SIGTERM', () => process.exit());
