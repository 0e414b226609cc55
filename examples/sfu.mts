// A media server: whoever publishes to a room with WHIP is seen and heard by all who play it with WHEP. `npx tsx examples/sfu.mts 8080`
// OBS and browsers take its addresses: http://HOST:8080/whip/ROOM and http://HOST:8080/whep/ROOM. Without a port, the program tries itself out.
// Tracks go from connection to connection inside of the core. Put it behind TLS and whatever knows your users: it believes everybody.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { PCMSink, PCMSource, RTCPeerConnection, WHEPClient, WHIPClient, type MediaStreamTrack } from 'ossa-webrtc';

const rooms = new Map<string, MediaStreamTrack[]>();
const sessions = new Map<string, RTCPeerConnection>();

async function serve({ method, url = '', ...request }: IncomingMessage & { body: string }): Promise<Answer> {
  if (method === 'DELETE') {
    sessions.get(url)?.close();
    return { status: sessions.delete(url) ? 200 : 404 };
  }
  const [, way, room] = /^\/(whip|whep)\/(\w+)$/.exec(url) ?? [];
  if (method !== 'POST' || !way || !room) return { status: method === 'PATCH' ? 405 : 404 };
  const published = rooms.get(room);
  // One publishes, or the others can play.
  if ((way === 'whip') === (published !== undefined)) return { status: 409, headers: { 'Retry-After': '2' } };

  const connection = new RTCPeerConnection();
  const session = `/session/${crypto.randomUUID()}`;
  sessions.set(session, connection);
  connection.onconnectionstatechange = () => {
    if (connection.connectionState === 'failed') connection.close();
  };
  await connection.setRemoteDescription({ type: 'offer', sdp: request.body });
  if (way === 'whip') {
    const tracks = connection.getReceivers().map(({ track }) => track);
    rooms.set(room, tracks);
    tracks[0]!.onended = () => void rooms.delete(room);
  }
  for (const transceiver of way === 'whep' ? connection.getTransceivers() : []) {
    const track = published!.find(({ kind }) => kind === transceiver.receiver.track.kind);
    transceiver.direction = track ? 'sendonly' : 'inactive';
    await transceiver.sender.replaceTrack(track ?? null);
  }
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete') {
    await new Promise((resolve) => (connection.onicegatheringstatechange = resolve));
  }
  const headers = { 'Content-Type': 'application/sdp', Location: session };
  return { status: 201, headers, body: connection.localDescription!.sdp };
}

type Answer = { status: number; headers?: Record<string, string>; body?: string };

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  void (async () => {
    let body = '';
    for await (const piece of request.setEncoding('utf8'))
      if ((body += String(piece)).length > 100_000) throw new Error();
    const { status, headers, body: answer } = await serve(Object.assign(request, { body }));
    response.writeHead(status, headers).end(answer);
  })().catch(() => response.writeHead(400).end());
});
await new Promise<void>((resolve) => server.listen(Number(process.argv[2] ?? 0), resolve));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

// ---- Trying it out: Anna publishes a tone, and three others hear it ----

if (process.argv[2] === undefined) {
  const tone = Int16Array.from({ length: 48_000 }, (_, at) => 10_000 * Math.sin((2 * Math.PI * 440 * at) / 48_000));
  const voice = new PCMSource();
  const writer = voice.writable.getWriter();
  const speak = () => void writer.write(tone).then(speak, () => undefined);
  speak();
  const anna = await WHIPClient.publish(`${address}/whip/room`, [voice.track]);
  for (const name of ['ben', 'carla', 'david']) {
    const player = await WHEPClient.play(`${address}/whep/room`);
    const sink = new PCMSink(player.stream.getAudioTracks()[0]!);
    for await (const samples of sink) if (samples.length > 0 && sink.level > 0.2) break;
    console.log(`${name} hears anna`);
    await player.close();
  }
  await anna.close();
  voice.close();
  server.close();
  server.closeAllConnections();
}
