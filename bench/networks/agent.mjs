// One of the two agents of `run.mjs`, in a namespace of its own: `node agent.mjs NAME SETTINGS`. It does what it reads, `call` (the agent
// `b`), `path` or `close`, a word a line, and prints what has come of it, one JSON object a line.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { createPeer, WebSocketSignaling } from '../../index.js';

const [name, json] = process.argv.slice(2);
const { signaling, cert, options } = JSON.parse(json);
const say = (object) => console.log(JSON.stringify(object));

const ca = readFileSync(cert, 'utf8');
const transport = { ...options.transport, tlsCaPem: ca };
const peer = createPeer({
  ...options,
  agentId: `agent://${name}`,
  signaling: new WebSocketSignaling(signaling, { ca }),
  transport,
});
let link;
peer.on('link', (made) => (link = made));

const COMMANDS = {
  async call() {
    const started = performance.now();
    const since = () => Math.round(performance.now() - started);
    try {
      link = await peer.connect('agent://b');
      return { open: since() };
    } catch ({ code, message, causes = [] }) {
      return { failed: since(), code, message, causes };
    }
  },
  async path() {
    return { path: await pathOf(link) };
  },
  async close() {
    await link.close();
    return {};
  },
};

await peer.ready;
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) say(await COMMANDS[line]());
await peer.close();

/** The pair of candidates that is used. */
async function pathOf(link) {
  const stats = await link.getStats();
  const transport = [...stats.values()].find(({ type }) => type === 'transport');
  const pair = stats.get(transport?.selectedCandidatePairId);
  const [local, remote] = [pair?.localCandidateId, pair?.remoteCandidateId].map((id) => stats.get(id));
  if (!local || !remote) return undefined;
  const end = ({ candidateType, protocol, relayProtocol, address }) => ({
    candidateType,
    protocol,
    relayProtocol,
    address,
  });
  return { local: end(local), remote: end(remote) };
}
