// Tries one library: two processes of it meet at a server in this one, say hello to each other, and the first one leaves.
// Usage: node try.mjs LIBRARY     prints what became of it, as JSON
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import './older-node.mjs';

/** Longer than any of them takes on a busy machine. */
const PATIENCE = 40_000;

const here = dirname(fileURLToPath(import.meta.url));
const [name] = process.argv.slice(2);
const { host } = await import(`./libraries/${name}.mjs`);
const meeting = await host();

const started = [];

function start(role) {
  const child = spawn(process.execPath, [join(here, 'peer.mjs'), name, role, meeting.url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  started.push(child);
  const events = [];
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line)));
  const over = new Promise((resolve) =>
    child.once('close', (code, signal) => resolve({ events, end: signal ?? code })),
  );
  return over;
}

const timer = setTimeout(() => started.forEach((child) => child.kill('SIGKILL')), PATIENCE);
const [alice, bob] = await Promise.all([start('alice'), start('bob')]);
clearTimeout(timer);
await meeting.close();
// Some of these servers have timers that they do not stop.
process.stdout.write(JSON.stringify({ alice, bob }), () => process.exit());
