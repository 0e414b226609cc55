// What people who test their own time-outs with Jest run into with other stacks.
import { once, openPair, receive } from './helper';

afterEach(() => {
  jest.useRealTimers();
});

test('connections open, negotiate again, carry messages and end while the timers are faked', async () => {
  jest.useFakeTimers();
  const { a, b, near, far } = await openPair();
  const received = receive(far, 1);
  near.send('hello');
  expect(await received).toEqual(['hello']);

  const needed = once(a, 'negotiationneeded');
  a.restartIce();
  await needed;
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription!);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription!);

  expect((await a.getStats()).get('T01')!.dtlsState).toBe('connected');
  const closed = once(far, 'close');
  near.close();
  await closed;
});
