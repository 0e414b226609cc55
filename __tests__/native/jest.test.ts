// What people who test with Jest run into with other stacks.
import { connectedPair } from './support';

afterEach(() => jest.useRealTimers());

test('messages come although the timers are faked', async () => {
  jest.useFakeTimers();
  const pair = await connectedPair();
  pair.a.native.send(pair.channel, 'hello');
  expect(await pair.b.received(1)).toEqual([{ channel: pair.remote, data: 'hello' }]);
  pair.close();
});

test('the module can be loaded several times in one process, and the copies reach each other', async () => {
  const { TestPeer: First } = copy();
  const { TestPeer: Second, negotiate } = copy();
  expect(First).not.toBe(Second);
  const [a, b] = [new First(), new Second()];
  const channel = a.native.createDataChannel({ label: 'between copies' });
  negotiate(a, b);
  await b.event('channelOpen');
  await a.event('channelOpen');
  a.native.send(channel, new Uint8Array([1, 2, 3]));
  const [message] = await b.received(1);
  expect(message!.data).toBeInstanceOf(ArrayBuffer);
  a.native.close();
  b.native.close();

  function copy() {
    let module: typeof import('./support') | undefined;
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- only require loads a module again
    jest.isolateModules(() => (module = require('./support') as typeof import('./support')));
    return module!;
  }
});
