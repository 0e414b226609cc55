// Does the native library work on this machine? Two connections exchange messages and speak, then two agents call each other.
// Usage: node scripts/smoke.mjs [MODULE]     MODULE: what to load instead of this folder, for example `ossa-webrtc`
// The release pipeline runs it on every platform that it builds for. It needs nothing but Node and the built package.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { root } from './setup.mjs';

/** The slowest is an emulated processor. */
const PATIENCE = 120_000;

/** Thousands of datagrams. */
const LARGE = 'x'.repeat(1_000_000);

/** Samples a second of what is said, and its tone in Hz. */
const [RATE, TONE] = [48_000, 440];

const require = createRequire(resolve('package.json'));
const { PCMSink, PCMSource, RTCPeerConnection, createPeer, createSignalingServer, version } = require(
  process.argv[2] ?? root,
);

function pair() {
  const [caller, callee] = [new RTCPeerConnection(), new RTCPeerConnection()];
  caller.onicecandidate = ({ candidate }) => void callee.addIceCandidate(candidate);
  callee.onicecandidate = ({ candidate }) => void caller.addIceCandidate(candidate);
  return [caller, callee];
}

async function connect(caller, callee) {
  await caller.setLocalDescription();
  await callee.setRemoteDescription(caller.localDescription);
  await callee.setLocalDescription();
  await caller.setRemoteDescription(callee.localDescription);
}

async function channel() {
  const [caller, callee] = pair();
  callee.ondatachannel = (event) => {
    event.channel.onmessage = ({ data }) => event.channel.send(data);
  };
  const dataChannel = caller.createDataChannel('smoke');
  dataChannel.binaryType = 'arraybuffer';
  const messages = ['hello', LARGE, new Uint8Array([1, 2, 3])];
  const echoes = new Promise((done) => {
    const got = [];
    dataChannel.onopen = () => messages.forEach((message) => dataChannel.send(message));
    dataChannel.onmessage = ({ data }) => got.push(data) === messages.length && done(got);
  });
  await connect(caller, callee);
  const [text, large, binary] = await echoes;
  if (text !== 'hello' || large !== LARGE || String(new Uint8Array(binary)) !== '1,2,3') {
    throw new Error('the messages of a data channel came back changed');
  }
  caller.close();
  callee.close();
}

/** How much of a tone is in samples: its amplitude, by the sum of Fourier at that one frequency. */
function amplitude(samples) {
  let [sine, cosine] = [0, 0];
  samples.forEach((sample, at) => {
    sine += sample * Math.sin((2 * Math.PI * TONE * at) / RATE);
    cosine += sample * Math.cos((2 * Math.PI * TONE * at) / RATE);
  });
  return (2 * Math.hypot(sine, cosine)) / samples.length;
}

/** A tone goes through Opus, encoded on one side and decoded on the other, until it is heard. */
async function voice() {
  const [caller, callee] = pair();
  const period = Int16Array.from({ length: RATE }, (_, at) => 10_000 * Math.sin((2 * Math.PI * TONE * at) / RATE));
  function* speech() {
    while (true) yield period;
  }
  const source = PCMSource.from(speech(), { sampleRate: RATE });
  caller.addTrack(source.track);
  const incoming = new Promise((resolve) => (callee.ontrack = resolve));
  await connect(caller, callee);
  const { track } = await incoming;
  let heard = [];
  for await (const chunk of new PCMSink(track, { sampleRate: RATE })) {
    heard.push(...new Int16Array(Uint8Array.from(chunk).buffer));
    // A tenth of a second at a time; the first ones are silence and the beginning of the tone.
    if (heard.length < RATE / 10) continue;
    if (amplitude(heard) > 5_000) break;
    heard = [];
  }
  const codecs = [...(await caller.getStats()).values()].filter(({ type }) => type === 'codec');
  if (!codecs.some(({ mimeType }) => mimeType === 'audio/opus')) throw new Error('what was heard was not Opus');
  source.close();
  caller.close();
  callee.close();
}

async function call() {
  const server = await createSignalingServer({ host: '127.0.0.1', port: 0 });
  const alice = createPeer({ agentId: 'agent://smoke.test/alice', signaling: server.url });
  const bob = createPeer({ agentId: 'agent://smoke.test/bob', signaling: server.url });
  bob.handle('add', ({ a, b }) => a + b);
  await bob.ready;
  const link = await alice.connect('agent://smoke.test/bob');
  const sum = await link.call('add', { a: 2, b: 3 });
  if (sum !== 5) throw new Error(`2 + 3 is ${sum}`);
  await Promise.all([alice.close(), bob.close(), server.close()]);
}

const watchdog = setTimeout(() => {
  console.error(`smoke: not done after ${PATIENCE / 1000} s`);
  process.exit(1);
}, PATIENCE);
await channel();
await voice();
await call();
clearTimeout(watchdog);
console.log(`ossa-webrtc ${version} works on ${process.platform} ${process.arch}, Node ${process.version}`);
