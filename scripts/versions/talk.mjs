// Two copies or versions of the package in one process, in its main thread and in a worker: each connects with itself and with the other, agents
// of both meet, and everything ends by itself. Usage: node talk.mjs ONE OTHER      each a folder that `ossa-webrtc` is found from
// Prints what was seen, as JSON: a list of the main thread, and one of the worker.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';

const [one, other] = process.argv.slice(2).map((folder) => createRequire(join(folder, 'x.js'))('ossa-webrtc'));

const LARGE = Buffer.alloc(1_000_000, 'all the same');

async function connect(First, Second) {
  const [a, b] = [new First.RTCPeerConnection(), new Second.RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate);
  b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate);
  b.ondatachannel = ({ channel }) => (channel.onmessage = ({ data }) => channel.send(data));
  const channel = a.createDataChannel('between copies');
  channel.binaryType = 'arraybuffer';
  channel.onopen = () => channel.send(LARGE);
  const echoed = new Promise((resolve) => (channel.onmessage = ({ data }) => resolve(data)));
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
  const said = Buffer.from(await echoed).equals(LARGE);
  a.close();
  b.close();
  return said ? 'heard' : 'something else';
}

/** A signaling server of one, an agent of each, a call and a file both ways. */
async function agents(First, Second) {
  const server = await First.createSignalingServer();
  const names = ['agent://example.com/alice', 'agent://example.com/bob'];
  const [alice, bob] = [First, Second].map((copy, index) =>
    copy.createPeer({ agentId: names[index], signaling: server.url }),
  );
  bob.handle('greet', (name) => `hello, ${name}`);
  alice.handle('greet', (name) => `hi, ${name}`);
  await bob.ready;
  const incoming = new Promise((resolve) => bob.once('link', resolve));
  const [there, back] = [await alice.connect(names[1]), await incoming];
  const said = [await there.call('greet', 'bob'), await back.call('greet', 'alice')];
  const hash = createHash('sha256');
  back.once('file', (file) => {
    file.accept(new Writable({ write: (chunk, _, done) => (hash.update(chunk), done()) }));
  });
  await there.sendFile(LARGE, { name: 'large' }).done;
  said.push(hash.digest('hex') === createHash('sha256').update(LARGE).digest('hex') ? 'file' : 'another file');
  await Promise.all([alice.close(), bob.close()]);
  await server.close();
  return said.join(', ');
}

async function main() {
  const said = [one.RTCPeerConnection === other.RTCPeerConnection ? 'the same' : 'two'];
  for (const [First, Second] of [[one, other], [other, one], [one, one], [other, other]]) said.push(await connect(First, Second)); // prettier-ignore
  for (const [First, Second] of [[one, other], [other, one]]) said.push(await agents(First, Second)); // prettier-ignore
  for (const copy of [one, other]) {
    try {
      new copy.RTCPeerConnection({ iceServers: [{ urls: 'nonsense' }] });
    } catch (error) {
      said.push(error instanceof globalThis.DOMException && error.name);
    }
  }
  if (!isMainThread) return parentPort.postMessage(said);
  const worker = new Worker(fileURLToPath(import.meta.url), { argv: process.argv.slice(2) });
  const inWorker = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await worker.terminate();
  // What a worker leaves behind when it goes hurts nobody.
  said.push(await connect(one, other));
  console.log(JSON.stringify([said, inWorker]));
}

await main();
