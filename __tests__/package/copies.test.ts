// Two copies of the package in one process, as npm installs them when two dependencies want different versions, and as pnpm does, by hard
// links to the same files, when two have different peers beside it.
import { copyFileSync, cpSync, linkSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { Project } from './installed';

let project: Project;
let packages: string[];
beforeAll(() => {
  project = new Project();
  packages = readdirSync(project.path('node_modules')).filter((name) => name.startsWith('ossa-webrtc'));
}, 120_000);
afterAll(() => project.remove());

/** A dependency with a copy of its own. */
function dependency(name: string, place: (from: string, to: string) => void): void {
  const folder = project.path('node_modules', name);
  project.write(join('node_modules', name, 'index.js'), "exports.webrtc = require('ossa-webrtc');");
  for (const one of packages) {
    const [from, to] = [project.path('node_modules', one), join(folder, 'node_modules', one)];
    for (const file of readdirSync(from, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      const target = join(to, path.slice(from.length));
      mkdirSync(dirname(target), { recursive: true });
      place(path, target);
    }
  }
}

const CONNECT = `
  async function connect(First, Second) {
    const [a, b] = [new First.RTCPeerConnection(), new Second.RTCPeerConnection()];
    a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate);
    b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate);
    b.ondatachannel = ({ channel }) => (channel.onmessage = ({ data }) => channel.send(data));
    const channel = a.createDataChannel('between copies');
    channel.onopen = () => channel.send('hello');
    const echoed = new Promise((resolve) => (channel.onmessage = ({ data }) => resolve(data)));
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription);
    await b.setLocalDescription();
    await a.setRemoteDescription(b.localDescription);
    const said = await echoed;
    a.close();
    b.close();
    return said;
  }`;

const TALK = (name: string) => `
  const { Worker, isMainThread, parentPort } = require('node:worker_threads');
  const first = require('ossa-webrtc');
  const second = require('${name}').webrtc;
  ${CONNECT}
  async function agents() {
    const server = await first.createSignalingServer();
    const alice = first.createPeer({ agentId: 'agent://example.com/alice', signaling: server.url });
    const bob = second.createPeer({ agentId: 'agent://example.com/bob', signaling: server.url });
    bob.handle('greet', (name) => 'hello, ' + name);
    await bob.ready;
    const link = await alice.connect('agent://example.com/bob');
    const said = await link.call('greet', 'alice');
    await Promise.all([alice.close(), bob.close()]);
    await server.close();
    return said;
  }
  async function main() {
    const said = [first.RTCPeerConnection !== second.RTCPeerConnection];
    for (const [one, other] of [[first, second], [second, first], [first, first], [second, second]]) {
      said.push(await connect(one, other));
    }
    said.push(await agents());
    const errors = [];
    for (const copy of [first, second]) {
      try { new copy.RTCPeerConnection({ iceServers: [{ urls: 'nonsense' }] }); }
      catch (error) { errors.push(error.name, error instanceof DOMException); }
    }
    said.push(...errors);
    if (!isMainThread) return parentPort.postMessage(said);
    const worker = new Worker(__filename);
    const same = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
    said.push(await connect(first, second));
    console.log(JSON.stringify([said, same]));
  }
  void main();`;

const SAID = [true, 'hello', 'hello', 'hello', 'hello', 'hello, alice', 'SyntaxError', true, 'SyntaxError', true];

test.each([
  ['copies', copyFileSync],
  ['hard links', linkSync],
])('two of them, as %s, work beside each other and with each other, also in a worker', (how, place) => {
  const name = how.replace(' ', '-');
  dependency(name, place);
  const [main, worker] = JSON.parse(project.node(project.write(`${name}.cjs`, TALK(name)))) as unknown[][];
  expect(main).toEqual([...SAID, 'hello']);
  expect(worker).toEqual(SAID);
});

test('a library that was left from another version is told in one sentence, with what to do', () => {
  const [platform] = packages.filter((name) => name !== 'ossa-webrtc');
  const folder = project.path('node_modules', 'stale', 'node_modules');
  project.write('node_modules/stale/index.js', "require('ossa-webrtc');");
  cpSync(project.path('node_modules', 'ossa-webrtc'), join(folder, 'ossa-webrtc'), { recursive: true });
  const library = `ossa-webrtc.${platform!.slice('ossa-webrtc-'.length)}.node`;
  // What an addon of yesterday has: it loads, and lacks what the code of today calls.
  const older = (change: string) =>
    project.write(
      join('node_modules', 'stale', 'node_modules', platform!, 'index.js'),
      `const library = require(${JSON.stringify(project.path('node_modules', platform!, library))}); ${change}`,
    );
  const load = () => project.try(['-e', "require('stale')"]);

  older('module.exports = library;');
  expect(load()).toMatchObject({ status: 0, stderr: '' });
  const said = (reason: string) =>
    `the native library ${platform} does not belong to this version of the package (0.1.0): ${reason}. ` +
    `What to do: install the package anew, or, in a clone of the repository, run "npm run build".`;
  older("module.exports = { ...library, version: () => '0.0.9' };");
  expect(load().stderr).toContain(said('it is version 0.0.9'));
  older('const { Hub, ...rest } = library; module.exports = rest;');
  expect(load().stderr).toContain(said('it was built before this code, and lacks Hub'));
  older('module.exports = { ...library, Peer: class {} };');
  expect(load().stderr).toMatch(/it was built before this code, and lacks Peer\.\w+ and \d+ more\. What/);
  older('module.exports = { hello() {} };');
  expect(load().stderr).toContain(said('it is no library of ours'));
});
