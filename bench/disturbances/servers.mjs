// The TURN servers of the world, and the signaling server of this package as a process of its own, which can be killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { startCoturn } from '../world/coturn.mjs';
import { SERVER } from './world.mjs';

/** Who may use a TURN server, as agents are told. */
export const users = {
  alice: { port: 3478, password: 'wonderland' },
  bob: { port: 3479, password: 'builder' },
};

export const iceServers = (name) => [
  { urls: `turn:${SERVER}:${users[name].port}`, username: name, credential: users[name].password },
];

/** coturn, which has an allocation for `name`. */
export function startTurn(name = 'alice') {
  const { port, password } = users[name];
  const more = ['--listening-port', String(port), '--no-tls', '--no-dtls'];
  return startCoturn({ user: `${name}:${password}`, listen: [SERVER], ports: [port], more });
}

/** A signaling server, with a relay if it is asked for. Port 0 for any. */
export async function startServer({ port = 0, relay = false } = {}) {
  const script = fileURLToPath(new URL('server.mjs', import.meta.url));
  const child = spawn(process.execPath, ['--no-warnings', script, SERVER, String(port), String(relay)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, url, port: Number(new URL(url).port), relay };
}

/** Ends a process without giving it the time to say so. */
export async function kill(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
