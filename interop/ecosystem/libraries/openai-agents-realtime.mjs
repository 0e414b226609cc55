// The voice agents of OpenAI's SDK: alice is a session of it whose microphone and loudspeaker are tracks of ours, bob the service it calls. They are
// connected when each hears the other's tone.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { MediaStream, PCMSink, PCMSource, RTCPeerConnection } from 'ossa-webrtc';

export const about = {
  name: 'OpenAI Agents SDK, voice (`@openai/agents-realtime`)',
  package: '@openai/agents-realtime',
  over: 'HTTP, a service of ours in place of theirs',
  how: '`ossa-webrtc/polyfill`, and tracks',
};

const RATE = 24_000;
const TONES = { alice: 440, bob: 1000 };

/** Where the service is asked for a call: the offer is the body of a request, the answer that of its response. The service has it handed on. */
export async function host() {
  let offered, answered;
  const offer = new Promise((resolve) => (offered = resolve));
  const answer = new Promise((resolve) => (answered = resolve));
  const routes = {
    async 'POST /v1/realtime/calls'(request, response) {
      const { 'content-type': type, authorization } = request.headers;
      if (type !== 'application/sdp' || authorization !== 'Bearer ek_test') return response.writeHead(401).end();
      offered(await text(request));
      response.writeHead(201, { 'content-type': 'application/sdp', location: '/v1/realtime/calls/rtc_1' });
      response.end(await answer);
    },
    async 'GET /offer'(_, response) {
      response.end(await offer);
    },
    async 'POST /answer'(request, response) {
      answered(await text(request));
      response.end();
    },
  };
  const server = createServer(
    (request, response) => void routes[`${request.method} ${request.url}`](request, response),
  );
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Somebody who says one tone for as long as he is there. */
function speaker(frequency) {
  function* tone() {
    for (let from = 0; ; from += 2_400) {
      yield Int16Array.from(
        { length: 2_400 },
        (_, at) => 10_000 * Math.sin((2 * Math.PI * frequency * (from + at)) / RATE),
      );
    }
  }
  const source = PCMSource.from(tone(), { sampleRate: RATE });
  source.done.catch(() => {}); // closed in the middle of it
  return source;
}

/** Amplitude of a tone, of full scale. */
function level(samples, frequency) {
  let [sine, cosine] = [0, 0];
  for (const [at, sample] of samples.entries()) {
    sine += sample * Math.sin((2 * Math.PI * frequency * at) / RATE);
    cosine += sample * Math.cos((2 * Math.PI * frequency * at) / RATE);
  }
  return (2 * Math.hypot(sine, cosine)) / samples.length / 32_768;
}

/** Resolves when 200 ms of a track are this tone, as loud as it was said, and nothing of the other. */
async function heard(track, role) {
  const own = Object.keys(TONES).find((name) => name !== role);
  let bytes = [];
  for await (const chunk of new PCMSink(track, { sampleRate: RATE })) {
    bytes.push(...chunk);
    if (bytes.length < RATE * 0.4) continue;
    const samples = new Int16Array(Uint8Array.from(bytes).buffer);
    bytes = [];
    if (level(samples, TONES[role]) > 0.25 && level(samples, TONES[own]) < 0.02) return;
  }
}

async function agent(url, { connected, received, send }) {
  await import('ossa-webrtc/polyfill');
  const { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession } = await import('@openai/agents-realtime');
  const microphone = speaker(TONES.alice);
  let speech;
  const listening = new Promise((resolve) => (speech = resolve));
  const loudspeaker = {
    set srcObject(stream) {
      speech(heard(stream.getAudioTracks()[0], 'bob'));
    },
  };
  const transport = new OpenAIRealtimeWebRTC({
    baseUrl: `${url}/v1/realtime/calls`,
    mediaStream: new MediaStream([microphone.track]),
    audioElement: loudspeaker,
  });
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Alice' }), { transport, model: 'gpt-realtime' });
  session.on('agent_end', (_, __, transcript) => received(transcript));
  await session.connect({ apiKey: 'ek_test' });
  await listening;
  connected();
  send((message) => session.sendMessage(message));
  return () => {
    session.close();
    microphone.close();
  };
}

async function service(url, { connected, received, send, left }) {
  const connection = new RTCPeerConnection();
  const voice = speaker(TONES.bob);
  const callers = new Promise((resolve) => {
    connection.ontrack = ({ track }) => resolve(heard(track, 'alice'));
  });
  connection.ondatachannel = ({ channel }) => {
    const say = (event) => channel.send(JSON.stringify({ event_id: randomUUID(), ...event }));
    channel.onopen = () => say({ type: 'session.created', session: {} });
    channel.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.type === 'session.update') say({ type: 'session.updated', session: event.session });
      if (event.type === 'conversation.item.create') received(event.item.content[0].text);
    };
    channel.onclose = left;
    send((transcript) => {
      const content = [{ type: 'output_audio', transcript }];
      const item = { id: 'item_1', type: 'message', role: 'assistant', status: 'completed', content };
      say({ type: 'response.created', response: { id: 'resp_1' } });
      say({ type: 'response.done', response: { id: 'resp_1', output: [item] } });
    });
  };
  const offer = await (await fetch(`${url}/offer`)).text();
  await connection.setRemoteDescription({ type: 'offer', sdp: offer });
  connection.addTrack(voice.track, new MediaStream([voice.track]));
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete') {
    await new Promise((resolve) => (connection.onicegatheringstatechange = resolve));
  }
  await fetch(`${url}/answer`, { method: 'POST', body: connection.localDescription.sdp });
  await callers;
  connected();
  return () => {
    connection.close();
    voice.close();
  };
}

export const peer = (url, how) => (how.first ? agent(url, how) : service(url, how));
