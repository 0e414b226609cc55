// While messages go to and fro one at a time, the event loop of this thread waits for the sockets, in place of the core's threads.
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
