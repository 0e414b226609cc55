// One of the two agents of `run.mjs`, in a namespace of its own: `node agent.mjs send|receive SIGNALING OPTIONS`. What happens to it is
// printed, one JSON object a line.
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

import { createPeer, WebSocketSignaling } from '../../index.js';

const [role, signaling, json] = process.argv.slice(2);
const { bytes, options, by } = JSON.parse(json);
const PIECE = 64 * 1024;

const started = performance.now();
const say = (object) => console.log(JSON.stringify({ at: Math.round(performance.now() - started), ...object }));

/** Tells what the link does. */
function watch(link) {
  link.on('state', (state) => say({ state }));
  link.on('refresh', (reason) => say({ refresh: reason }));
  link.on('reconnecting', ({ how, reason }) => say({ how, reason }));
  link.on('reconnected', ({ how, downtime }) => say({ reconnected: how, downtime: Math.round(downtime) }));
  link.on('problem', (error) => say({ problem: error.message }));
  link.on('close', (error) => say({ closed: error?.message ?? '' }));
}

/** What the path begins with. A link may be open before a check of ours was answered, and so before a pair is selected. */
async function kindOf(link) {
  const stats = await link.connection.getStats();
  const entries = [...stats.values()];
  const selected = entries.find(({ type }) => type === 'transport')?.selectedCandidatePairId;
  const pair =
    stats.get(selected) ??
    entries.find(({ type, packetsReceived }) => type === 'candidate-pair' && packetsReceived > 0);
  return stats.get(pair?.localCandidateId)?.candidateType ?? 'unknown';
}

/** The longest time without news, from when `since` says that it counts. */
class Stall {
  #last = performance.now();
  #longest = 0;

  heard() {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
  }

  reset() {
    this.#longest = 0;
    this.#last = performance.now();
  }

  get longest() {
    return Math.round(Math.max(this.#longest, performance.now() - this.#last));
  }
}

/** Signaling that hands out ICE servers when it is told to. */
class Rotating extends WebSocketSignaling {
  offer = () => undefined;

  subscribe(agent, deliver, failed, context) {
    this.offer = context.offerIceServers;
    if (iceServers) this.offer(iceServers);
    return super.subscribe(agent, deliver, failed, context);
  }
}

const folder = await mkdtemp(join(tmpdir(), 'ossa-disturbed-'));
const { iceServers, ...others } = options;
const rotating = new Rotating(signaling);
const peer = createPeer({ agentId: `agent://${role}`, signaling: rotating, ...others });
const whole = createHash('sha256');
const stall = new Stall();
let received = 0;
const orders = createInterface({ input: process.stdin });
orders.on('line', (line) => {
  if (line === 'reset') stall.reset();
  else rotating.offer(JSON.parse(line));
});
orders.on('close', () => void rm(folder, { recursive: true }).then(() => process.exit(0)));

if (role === 'receive') {
  const count = (data) => {
    received += data.byteLength;
    stall.heard();
    whole.update(data);
    if (received < bytes) return;
    say({ complete: received, stall: stall.longest, digest: whole.digest('hex') });
  };
  peer.on('link', (link) => {
    watch(link);
    link.on('channel', (channel) => channel.on('message', (data) => count(new Uint8Array(data))));
    link.on('file', (file) => {
      file.accept({ directory: folder }, { onProgress: () => stall.heard() });
      // It is complete if it has the digest that the sender has given.
      void file.done.then(({ bytes: complete, sha256 }) => say({ complete, stall: stall.longest, digest: sha256 }));
    });
  });
  await peer.ready;
  say({ ready: true });
} else {
  const link = await peer.connect('agent://receive');
  watch(link);
  const kind = await kindOf(link);
  const piece = Buffer.alloc(PIECE, 'ossa');
  const pieces = bytes / PIECE;
  for (let index = 0; index < pieces; index++) whole.update(piece);
  const digest = whole.digest('hex');
  if (by === 'file') {
    const path = join(folder, 'file');
    await writeFile(path, Readable.from(Array(pieces).fill(piece)));
    say({ open: kind });
    await link.sendFile(path).done;
  } else {
    say({ open: kind });
    const channel = await link.createChannel('bulk');
    try {
      for (let index = 0; index < pieces; index++) await channel.send(piece);
    } catch (error) {
      // It ends with its connection.
      say({ gone: error.message });
    }
  }
  say({ sent: bytes, digest });
}
