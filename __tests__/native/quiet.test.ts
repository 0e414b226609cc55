// While messages go to and fro one at a time, the event loop of this thread waits for the sockets, in place of the core's threads.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';

import { connectedPair, runFixture, type Pair } from './support';

const done = { code: 0, signal: null, stdout: 'done\n', stderr: '' };

describe('a process in a quiet exchange', () => {
  test.each(['close', 'close-in-listener', 'again', 'unref', 'exit', 'throw', 'terminate'])(
    'ends as it should: %s',
    async (ending) => {
      expect(await runFixture('quiet-exchange.js', [ending])).toEqual(done);
    },
    60_000,
  );
});

test('a thread that stops in a quiet exchange keeps on acknowledging, and has lost nothing when it goes on', async () => {
  const outcome = await runFixture('blocked-thread.js');
  expect(outcome).toEqual({ code: 0, signal: null, stdout: 'all has left\nall\n', stderr: '' });
}, 60_000);

test('a hundred connections that are quiet and then suddenly busy lose nothing and keep the order', async () => {
  const pairs: Pair[] = [];
  try {
    for (let i = 0; i < 100; i++) pairs.push(await connectedPair());
    for (let round = 0; round < 20; round++) {
      for (const { a, channel } of pairs) a.native.send(channel, `${round}`);
      for (const { b, remote } of pairs) {
        const [message] = await b.received(1);
        b.native.send(remote, message!.data as string);
      }
      for (const { a } of pairs) expect((await a.received(1))[0]!.data).toBe(`${round}`);
    }
    for (let i = 0; i < 200; i++) for (const { a, channel } of pairs) a.native.send(channel, `${i}`.padEnd(i * 5));
    const wanted = Array.from({ length: 200 }, (_, i) => i);
    for (const { b } of pairs) {
      expect((await b.received(200)).map(({ data }) => parseInt(data as string, 10))).toEqual(wanted);
    }
  } finally {
    for (const pair of pairs) pair.close();
  }
}, 60_000);

test('timers, immediates and other sockets of the thread have their turn during an exchange', async () => {
  const pair = await connectedPair();
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let going = true;
  let rounds = 0;
  pair.b.onMessage = (_, data) => pair.b.native.send(pair.remote, data as string);
  pair.a.onMessage = (_, data) => {
    rounds++;
    if (going) pair.a.native.send(pair.channel, data as string);
  };
  const before = async (end: number, turnOver: () => Promise<unknown>) => {
    for (let done = 0; done < end; done++) await turnOver();
  };
  try {
    pair.a.native.send(pair.channel, 'there and back');
    // The exchange never pauses: whatever had no turn in it would wait for ever.
    await Promise.all([
      before(100, () => delay(1)),
      before(1000, () => turn()),
      before(1000, () => (socket.write('x'), once(socket, 'data'))),
    ]);
    going = false;
    expect(rounds).toBeGreaterThan(100);
  } finally {
    going = false;
    socket.destroy();
    server.close();
    pair.close();
  }
}, 60_000);
