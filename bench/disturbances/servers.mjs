// The TURN servers of the world, and the signaling server of this package as a process of its own, which can be killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

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
export async function startTurn(name = 'alice') {
  const { port, password } = users[name];
  const file = (what) => `/run/${name}-${what}`;
  const child = spawn(
    'turnserver',
    [
      ...['-n', '--no-cli', '--no-stdout-log', '--log-file', '/dev/null', '--lt-cred-mech', '--realm', 'world'],
      ...['--user', `${name}:${password}`, '--listening-port', String(port), '--no-tls', '--no-dtls'],
      ...['--listening-ip', SERVER, '--relay-ip', SERVER, '--pidfile', file('pid'), '--userdb', file('db')],
    ],
    { stdio: 'ignore' },
  );
  while (!(await listens(SERVER, port)));
  return child;
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

function listens(host, port) {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.on('error', () => setImmediate(resolve, false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
