// A program that is busy, or on a busy machine, does not take its own lateness for the other side's.
import { MessageChannel } from 'node:worker_threads';

import { MessageChannels } from '../../ts/agent/messages/channels';
import { within } from '../../ts/native/within';
import type { RTCDataChannel, RTCPeerConnection } from '../../ts/w3c';
import { agents } from './two-agents';

// Ours are Node's timers, which fake ones do not reach. Where the passing of time is the test, they do.
jest.mock('../../ts/platform', () => ({
  ...jest.requireActual<object>('../../ts/platform'),
  setTimeout: (then: () => void, delay: number) => globalThis.setTimeout(then, delay),
  clearTimeout: (timer: NodeJS.Timeout) => globalThis.clearTimeout(timer),
}));

const { pair } = agents();

/** Nothing else runs here meanwhile: no timer, and no message is read. */
function hold(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test('a call that was answered in time succeeds, however late its caller gets round to reading the answer', async () => {
  const { ab, b } = await pair();
  b.handle('echo', (input) => input);
  await ab.call('echo');
  let answered!: () => void;
  const there = new Promise<void>((resolve) => (answered = resolve));
  b.handle('soon', () => {
    // After the answer has gone out.
    setImmediate(answered);
    return 'in time';
  });
  const timeout = 3000;
  const late = performance.now() + timeout + 200;
  const answer = ab.call('soon', null, { timeout });
  await there;
  hold(late - performance.now());
  expect(await answer).toBe('in time');
});

test('what has happened in time counts, when the program sees it only after the limit', async () => {
  const channel = new MessageChannel();
  try {
    const message = new Promise((resolve) => channel.port1.once('message', resolve));
    const limited = within(50, () => message);
    channel.port2.postMessage('in time');
    hold(300);
    expect(await limited).toBe('in time');
  } finally {
    channel.port1.close();
  }
});

test('the other side has to open its channel once the association stands, however long the handshake takes', () => {
  jest.useFakeTimers();
  try {
    const sctp = Object.assign(new EventTarget(), { state: 'connecting' });
    const connection = Object.assign(new EventTarget(), { connectionState: 'connecting', sctp });
    const nothing = () => undefined;
    const channels = new MessageChannels({
      preset: 'single',
      remote: 'agent://b',
      connection: connection as unknown as RTCPeerConnection,
      heartbeat: 0,
      listen: nothing,
      ready: nothing,
      attach: nothing,
      lost: nothing,
      mismatch: nothing,
      problem: nothing,
    });
    channels.start(false);
    connection.connectionState = 'connected';
    connection.dispatchEvent(new Event('connectionstatechange'));
    expect(jest.getTimerCount()).toBe(0);
    sctp.state = 'connected';
    sctp.dispatchEvent(new Event('statechange'));
    expect(jest.getTimerCount()).toBe(1);
    const channel = Object.assign(new EventTarget(), { label: 'ossa-channel', readyState: 'open', negotiated: false });
    expect(channels.announced(channel as unknown as RTCDataChannel)).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});
