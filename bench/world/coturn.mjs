// coturn in a world of network namespaces.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';

/** Milliseconds within which it has to listen. */
const START_TIME = 10_000;

/**
 * Starts it, and waits until it listens over TCP at all of `listen` (addresses) and `ports`. `relay`: addresses to relay from; `namespace`: where
 * it lives, if not in that of this process; `folder`: for its files; `more`: arguments. The process.
 */
export async function startCoturn(options) {
  const {
    namespace,
    user = 'alice:wonderland',
    listen,
    relay = listen,
    ports = [3478],
    folder = '/run',
    more,
  } = options;
  const file = (suffix) => join(folder, `turn-${user.split(':')[0]}.${suffix}`);
  const command = [
    ...(namespace ? ['ip', 'netns', 'exec', namespace] : []),
    ...['turnserver', '-n', '--no-cli', '--no-stdout-log', '--log-file', '/dev/null', '--pidfile', file('pid')],
    ...['--userdb', file('db'), '--realm', 'world', '--lt-cred-mech', '--user', user],
    ...listen.flatMap((address) => ['--listening-ip', address]),
    ...relay.flatMap((address) => ['--relay-ip', address]),
    ...more,
  ];
  const child = spawn(command[0], command.slice(1), { stdio: 'ignore' });
  const until = performance.now() + START_TIME;
  for (const host of listen) {
    for (const port of ports) {
      while (!(await listens(host, port))) {
        if (performance.now() > until) throw new Error(`coturn does not listen at ${host}, port ${port}`);
      }
    }
  }
  return child;
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
