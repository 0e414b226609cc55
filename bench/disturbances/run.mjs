// What networks do to a transfer that is under way, and for how long it stalls: Linux, as root or in a user namespace.
//
//   node bench/disturbances/run.mjs                        all rows, about ten minutes; the table goes to the standard output
//   node bench/disturbances/run.mjs --only mtu-576,route   some of them; --by channel: over a channel instead of by sendFile; --states: what the agents told
//
// Each row has a world of its own (`world.mjs`). Three seconds after the first byte the world is disturbed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { createSignalingServer } from '../../index.js';
import { build, DISTURBANCES, OTHER, SERVER, startTurn } from './world.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    by: { type: 'string', default: 'file' },
    megabytes: { type: 'string', default: '300' },
    rate: { type: 'string', default: '200mbit' },
    limit: { type: 'string', default: '200' },
    states: { type: 'boolean', default: false },
    inside: { type: 'string' },
  },
});

const script = fileURLToPath(import.meta.url);

/** A row: prints its result as JSON. */
async function row(name) {
  const disturbance = DISTURBANCES[name];
  build(options.rate);
  const world = { turn: disturbance.relayed ? await startTurn() : undefined };
  const server = await createSignalingServer({ host: SERVER, port: 0 });
  const bytes = Number(options.megabytes) * 1024 * 1024;
  const turn = [{ urls: `turn:${SERVER}`, username: 'alice', credential: 'wonderland' }];
  const relayed = disturbance.relayed ? { iceServers: turn, iceTransportPolicy: 'relay' } : {};
  const told = [];
  let result = { complete: false };
  const start = (namespace, role, settings) => {
    const json = JSON.stringify({ bytes, by: options.by, options: settings });
    const agent = fileURLToPath(new URL('agent.mjs', import.meta.url));
    const args = ['netns', 'exec', namespace, process.execPath, agent, role, server.url, json];
    const child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    const waiting = new Map();
    lines.on('line', (line) => {
      const object = JSON.parse(line);
      for (const [key, resolve] of waiting) if (key in object) resolve(object);
      if (!('ready' in object) && !('sent' in object) && !('complete' in object)) told.push({ role, ...object });
    });
    return { child, says: (key) => new Promise((resolve) => waiting.set(key, resolve)) };
  };
  const receiver = start('other', 'receive', { transport: { bindAddress: OTHER } });
  await receiver.says('ready');
  const sender = start('host', 'send', relayed);
  const sent = sender.says('sent');
  const done = receiver.says('complete');
  const ended = Promise.race([sender.says('closed'), receiver.says('closed')]);
  const { open } = await sender.says('open');
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const before = told.length;
  receiver.child.stdin.write('reset\n');
  await disturbance.act(world);
  const limit = new Promise((resolve) => setTimeout(resolve, Number(options.limit) * 1000));
  const arrived = await Promise.race([done, ended, limit]);
  if (arrived?.complete) {
    const { digest } = await sent;
    result = { complete: arrived.digest === digest, stall: arrived.stall / 1000 };
  }
  for (const { child } of [receiver, sender]) child.stdin.end();
  await Promise.all([receiver, sender].map(({ child }) => once(child, 'exit')));
  world.turn?.kill('SIGKILL');
  console.log(JSON.stringify({ name, open, ...result, told: told.slice(before) }));
  process.exit(0);
}

/** In short what the sender was told. */
function inShort(told) {
  const words = told
    .filter(({ role }) => role === 'send')
    .map(({ state, refresh, how, reconnected, closed }) => state ?? refresh ?? how ?? reconnected ?? closed);
  return [...new Set(words.filter((word) => word !== undefined))].join(', ') || 'nothing';
}

if (options.inside) {
  await row(options.inside);
} else {
  const names = options.only?.split(',') ?? Object.keys(DISTURBANCES);
  console.log('| disturbance | in theory | to reach | stall | data | the sender was told |\n|---|---|---|---|---|---|');
  for (const name of names) {
    const { what, theory, goal } = DISTURBANCES[name];
    const inner = [process.execPath, '--no-warnings', script, ...process.argv.slice(2), '--inside', name];
    const child = spawn('unshare', ['--map-root-user', '--net', '--mount', ...inner], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    for await (const piece of child.stdout) text += piece;
    const { stall, complete, told } = JSON.parse(text.trim().split('\n').at(-1) || '{"told":[]}');
    const seconds = stall === undefined ? 'never ends' : `${stall.toFixed(1)} s`;
    console.log(
      `| ${what} | ${theory} s | ${goal} s | ${seconds} | ${complete ? 'complete' : 'lost'} | ${inShort(told)} |`,
    );
    if (options.states) for (const one of told) console.error(JSON.stringify(one));
  }
}
