// A server that may not open any more files: those that it has are served, it says so, and it goes on when there is room again.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { createPeer } from 'ossa-webrtc';

import { cli, killAll, type Printed, Program } from '../cli/program';

const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await killAll();
});

test('a server without free file descriptors serves on, says so, and recovers', async () => {
  const program = new Program(['signal', '--port', '0', '--json', '--stats', '100ms'], {
    command: ['sh', '-c', 'ulimit -n 64 && exec "$0" "$@"', process.execPath, cli],
  });
  const url = (await program.object('listening'))['url'] as string;
  await using a = createPeer({ agentId: 'agent://a', signaling: url });
  await using b = createPeer({ agentId: 'agent://b', signaling: url });
  b.handle('greet', () => 'hello');
  await b.ready;

  const started = performance.now();
  for (let index = 0; index < 100; index++) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    sockets.push(socket);
  }
  const failed = ({ message }: Printed) => message === 'connections cannot be accepted';
  const said = await program.object('log', failed);
  expect(said).toMatchObject({ level: 'error', error: expect.stringMatching(/files/) as string });
  expect(await a.call('agent://b', 'greet', null)).toBe('hello');

  // It tries again after a pause each time, and does not fill the log.
  const { acceptFailures } = await program.object('stats', (stats) => (stats['acceptFailures'] as number) >= 3);
  const seconds = (performance.now() - started) / 1000;
  expect(acceptFailures).toBeLessThanOrEqual(20 * seconds + 1);
  expect(program.objects.filter(failed).length).toBeLessThanOrEqual(seconds + 1);

  for (const socket of sockets.splice(0)) socket.destroy();
  await using late = createPeer({ agentId: 'agent://late', signaling: url });
  expect(await late.call('agent://b', 'greet', null)).toBe('hello');
});
