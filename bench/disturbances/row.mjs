// One row of `run.mjs`, in namespaces of its own: two agents, a transfer, and what happens to it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { DISTURBANCES } from './disturbances.mjs';
import { iceServers, kill, startServer, startTurn } from './servers.mjs';
import { build, OTHER } from './world.mjs';

/** Where only connecting is hard, so much is moved, in megabytes. */
const CONNECTING = 10;

/** Seconds from the first byte to the disturbance. */
const UNDISTURBED = 3000;

/** An agent in a namespace. `told` gets what it says of its link. */
function start(namespace, role, url, settings, told) {
  const agent = fileURLToPath(new URL('agent.mjs', import.meta.url));
  const args = ['netns', 'exec', namespace, process.execPath, agent, role, url, JSON.stringify(settings)];
  const child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const object = JSON.parse(line);
    for (const [key, resolve] of waiting) if (key in object) resolve(object);
    if (!('ready' in object) && !('sent' in object) && !('complete' in object)) told.push({ role, ...object });
  });
  return {
    child,
    says: (key) => new Promise((resolve) => waiting.set(key, resolve)),
    order: (line) => child.stdin.write(`${line}\n`),
  };
}

/** Does it; what came of it. `limit` in seconds. */
export async function run(name, { by, megabytes, rate, limit }) {
  const { relayed, own = false, tcp = false, before, act } = DISTURBANCES[name];
  build(rate);
  before?.();
  const world = { server: await startServer({ relay: own }) };
  if (relayed && !own) world.turn = await startTurn();
  const bytes = (act ? megabytes : CONNECTING) * 1024 * 1024;
  const servers = own ? {} : { iceServers: iceServers('alice') };
  const settings = (yes, others) => ({
    bytes,
    by,
    options: { ...others, ...(yes && { ...servers, iceTransportPolicy: 'relay' }) },
  });
  const told = [];
  const { url } = world.server;
  const began = performance.now();
  const receiving = settings(relayed === 'both', { transport: { bindAddress: OTHER, ...(tcp && { tcp: 'both' }) } });
  const receiver = start('other', 'receive', url, receiving, told);
  await receiver.says('ready');
  const sender = start('host', 'send', url, settings(relayed !== undefined), told);
  world.offer = (offered) => [receiver, sender].forEach(({ order }) => order(JSON.stringify(offered)));
  const sent = sender.says('sent');
  const done = receiver.says('complete');
  const gone = sender.says('gone');
  const ended = Promise.race([sender.says('closed'), receiver.says('closed'), gone]);
  const opened = sender.says('open');
  const until = new Promise((resolve) => setTimeout(resolve, limit * 1000).unref());
  const open = (await Promise.race([opened, until]))?.open;
  let first = told.length;
  if (act && open) {
    await new Promise((resolve) => setTimeout(resolve, UNDISTURBED));
    first = told.length;
    receiver.order('reset');
    await act(world);
  }
  const arrived = open && (await Promise.race([done, ended, until]));
  let result = { complete: false, gone: arrived?.gone };
  if (arrived?.complete) {
    const { digest } = await sent;
    const seconds = act ? arrived.stall / 1000 : (performance.now() - began) / 1000;
    result = { complete: arrived.digest === digest, [act ? 'stall' : 'took']: seconds };
  }
  for (const { child } of [receiver, sender]) child.stdin.end();
  await Promise.all([receiver, sender].map(({ child }) => child.exitCode ?? once(child, 'exit')));
  await Promise.all([world.turn, world.server.child].filter(Boolean).map(kill));
  return { open, ...result, told: told.slice(first) };
}
