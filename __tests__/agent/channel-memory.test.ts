// What a remote may make us keep through channels that nobody reads.
import type { AgentChannel, AgentError } from 'ossa-webrtc';

import { agents } from './two-agents';

const { pair } = agents();

const MIB = 1024 * 1024;

/** Sends until the other side has closed the channel, or `count` messages have gone. */
async function fill(channel: AgentChannel, message: string | Uint8Array, count: number): Promise<void> {
  try {
    for (let i = 0; i < count; i++) await channel.send(message);
  } catch (error) {
    expect(error).toMatchObject({ code: 'AGENT_UNREACHABLE' });
  }
}

test('many channels, each filled, together hold no more than one budget, and the link goes on', async () => {
  const { b, ab, ba } = await pair({ b: { limits: { unreadChannelBytes: 4 * MIB } } });
  b.handle('alive', () => true);
  const channels = await Promise.all(Array.from({ length: 32 }, (_, i) => ab.createChannel(`c${i}`)));
  for (const channel of channels) await fill(channel, new Uint8Array(256 * 1024), 8);
  // Comes behind all of them.
  expect(await ab.call('alive')).toBe(true);

  const theirs: AgentChannel[] = [];
  ba.on('channel', (channel) => theirs.push(channel));
  const errors: (AgentError | undefined)[] = [];
  let kept = 0;
  await new Promise(setImmediate);
  expect(theirs).toHaveLength(32);
  for (const channel of theirs) {
    channel.on('close', (error) => errors.push(error));
    channel.on('message', (data) => (kept += (data as ArrayBuffer).byteLength));
  }
  await new Promise(setImmediate);
  expect(kept).toBeGreaterThan(3 * MIB);
  expect(kept).toBeLessThanOrEqual(4 * MIB);
  expect(ba.state).toBe('open');

  // What has been read leaves room.
  const again = await ab.createChannel('again');
  const last = new Promise<AgentChannel>((resolve) => ba.on('channel', resolve));
  await again.send(new Uint8Array(MIB / 4));
  for await (const data of await last) {
    expect((data as ArrayBuffer).byteLength).toBe(MIB / 4);
    break;
  }
});

test('a channel that goes over the budget is closed with the reason on this side', async () => {
  const { ab, ba } = await pair({ b: { limits: { unreadChannelBytes: MIB } } });
  const channel = await ab.createChannel('full');
  await fill(channel, new Uint8Array(256 * 1024), 64);
  await channel.closed;
  const theirs = await new Promise<AgentChannel>((resolve) => ba.once('channel', resolve));
  const read = async () => {
    for await (const data of theirs) expect((data as ArrayBuffer).byteLength).toBe(256 * 1024);
  };
  await expect(read()).rejects.toMatchObject({
    code: 'RATE_LIMIT_EXCEEDED',
    message: expect.stringMatching(/1048576 bytes .*limits\.unreadChannelBytes/) as string,
  });
});

test('empty messages are no way around it', async () => {
  const { ab, ba } = await pair({ b: { limits: { unreadChannelBytes: 64 * 1024 } } });
  const channel = await ab.createChannel('empty');
  await fill(channel, '', 100_000);
  await channel.closed;
  const theirs = await new Promise<AgentChannel>((resolve) => ba.once('channel', resolve));
  let count = 0;
  theirs.on('message', () => count++);
  await new Promise(setImmediate);
  expect(count).toBe(1024);
});

test('channels beyond those that may wait keep nothing at all', async () => {
  const { ab, ba, b } = await pair({ b: { limits: { unreadChannels: 1, unreadChannelBytes: MIB } } });
  b.handle('alive', () => true);
  const [first, second] = [await ab.createChannel('first'), await ab.createChannel('second')];
  await fill(second, new Uint8Array(128 * 1024), 16);
  await second.closed;
  // It has all of the budget.
  await fill(first, new Uint8Array(128 * 1024), 7);
  expect(await ab.call('alive')).toBe(true);
  const theirs = await new Promise<AgentChannel>((resolve) => ba.once('channel', resolve));
  let bytes = 0;
  theirs.on('message', (data) => (bytes += (data as ArrayBuffer).byteLength));
  await new Promise(setImmediate);
  expect([theirs.label, bytes, theirs.state]).toEqual(['first', 7 * 128 * 1024, 'open']);
});
