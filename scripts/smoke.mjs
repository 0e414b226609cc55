// Does the native library work on this machine? Two connections exchange messages, then two agents call each other.
// Usage: node scripts/smoke.mjs [MODULE]     MODULE: what to load instead of this folder, for example `ossa-webrtc`
// The release pipeline runs it on every platform that it builds for. It needs nothing but Node and the built package.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { root } from './setup.mjs';

/** The slowest is an emulated processor. */
const PATIENCE = 120_000;

/** Several SCTP messages of several datagrams each. */
const LARGE = 'x'.repeat(200_000);

const require = createRequire(resolve('package.json'));
const { RTCPeerConnection, createPeer, createSignalingServer, version } = require(process.argv[2] ?? root);

async function channel() {
  const caller = new RTCPeerConnection();
  const callee = new RTCPeerConnection();
  caller.onicecandidate = ({ candidate }) => void callee.addIceCandidate(candidate);
  callee.onicecandidate = ({ candidate }) => void caller.addIceCandidate(candidate);
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
  await caller.setLocalDescription();
  await callee.setRemoteDescription(caller.localDescription);
  await callee.setLocalDescription();
  await caller.setRemoteDescription(callee.localDescription);
  const [text, large, binary] = await echoes;
  if (text !== 'hello' || large !== LARGE || String(new Uint8Array(binary)) !== '1,2,3') {
    throw new Error('the messages of a data channel came back changed');
  }
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
await call();
clearTimeout(watchdog);
console.log(`ossa-webrtc ${version} works on ${process.platform} ${process.arch}, Node ${process.version}`);
