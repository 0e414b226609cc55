// One of the two agents of `run.mjs`, in a namespace of its own: `node agent.mjs send|receive SIGNALING OPTIONS`. What happens to it is
// printed, one JSON object a line.
import { createHash } from 'node:crypto';

import { createPeer } from '../../index.js';

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

const peer = createPeer({ agentId: `agent://${role}`, signaling, ...options });
const whole = createHash('sha256');
const stall = new Stall();
let received = 0;
process.stdin.on('data', () => stall.reset());
process.stdin.on('end', () => process.exit(0));

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
    link.on('file', (file) => file.accept({ writable: new WritableStream({ write: count }) }));
  });
  await peer.ready;
  say({ ready: true });
} else {
  const link = await peer.connect('agent://receive');
  watch(link);
  const stats = [...(await link.connection.getStats()).values()];
  const pair = stats.find(({ type, nominated }) => type === 'candidate-pair' && nominated);
  say({ open: stats.find(({ id }) => id === pair?.localCandidateId)?.candidateType });
  const piece = Buffer.alloc(PIECE, 'ossa');
  const pieces = bytes / PIECE;
  for (let index = 0; index < pieces; index++) whole.update(piece);
  const digest = whole.digest('hex');
  if (by === 'file') {
    const source = async function* () {
      for (let index = 0; index < pieces; index++) yield piece;
    };
    await link.sendFile(ReadableStream.from(source()), { name: 'file', size: bytes }).done;
  } else {
    const channel = await link.createChannel('bulk');
    for (let index = 0; index < pieces; index++) await channel.send(piece);
  }
  say({ sent: bytes, digest });
}
