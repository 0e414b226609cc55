// What a peer or a signaling message may say without harm. The other side is a bare connection that says it.
import { once } from 'node:events';

import { RTCPeerConnection } from 'ossa-webrtc';
import type { WebRTCTransport } from 'ossa-webrtc/ossa';

import { ReferencePeer } from '../fixtures/reference-peer';
import { channelsOpen, cleanup, newServer, next, ONE, transport, TWO } from './support';

async function withRaw(): Promise<{
  ours: WebRTCTransport;
  say: (data: unknown) => void;
  drained: () => Promise<void>;
  problems: Error[];
}> {
  const server = newServer();
  const remote = new ReferencePeer({
    ...{ RTCPeerConnection, signaling: server.registerAgent(TWO), agentId: TWO, remoteAgentId: ONE },
  });
  cleanup.push(() => remote.close());
  const ours = transport({ agentId: ONE, remoteAgentId: TWO, signaling: server.registerAgent(ONE) });
  const problems: Error[] = [];
  ours.on('error', (error: Error) => problems.push(error));
  const open = channelsOpen(ours);
  await remote.offer();
  await Promise.all([open, remote.open()]);
  const channel = remote.channels.get('control')!;
  const say = (data: unknown) =>
    channel.send(typeof data === 'string' || Buffer.isBuffer(data) ? data : JSON.stringify(data));
  const drained = async () => {
    while (channel.bufferedAmount > 0) await new Promise((resolve) => (channel.onbufferedamountlow = resolve));
  };
  return { ours, say, drained, problems };
}

const piece = (payload: unknown, chunked: object) => ({
  type: 'message',
  payload,
  metadata: { agentId: TWO, chunked },
});

test.each([
  ['text that is not JSON', 'garbage', /^Failed to parse message: SyntaxError/],
  ['JSON that is not an object', '[1]', /not an object with a type/],
  ['null', 'null', /not an object with a type/],
  ['a message without a type', { payload: 1 }, /not an object with a type/],
  ['bytes that are not text', Buffer.from([0xff, 0xfe]), /^Failed to parse message: SyntaxError/],
  ['a piece beyond the last', piece('x', { chunkIndex: 2, totalChunks: 2, messageId: 'm' }), /not a piece/],
  ['a piece before the first', piece('x', { chunkIndex: -1, totalChunks: 2, messageId: 'm' }), /not a piece/],
  ['a piece of endlessly many', piece('x', { chunkIndex: 0, totalChunks: 1e9, messageId: 'm' }), /not a piece/],
  ['a piece that is not text', piece({}, { chunkIndex: 0, totalChunks: 2, messageId: 'm' }), /not a piece/],
  [
    'pieces inside a piece',
    piece(JSON.stringify(piece('x', { chunkIndex: 0, totalChunks: 1, messageId: 'n' })), {
      ...{ chunkIndex: 0, totalChunks: 1, messageId: 'm' },
    }),
    /in pieces itself/,
  ],
])('%s is reported, and what follows is read', async (_, data, text) => {
  const { ours, say, problems } = await withRaw();
  const received = next(ours);
  say(data);
  say({ type: 'message', payload: 'after it' });
  expect((await received).payload).toBe('after it');
  expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(text)]);
});

test('bare heartbeats, state updates without metadata, and answers that nobody waits for are no errors', async () => {
  const { ours, say, problems } = await withRaw();
  const updates = next(ours, 'state_update');
  say({ type: 'heartbeat', timestamp: new Date().toISOString() });
  say({ type: 'capability_response', payload: 1, metadata: { agentId: TWO, correlationId: 'unknown' } });
  say({ type: 'state_update', payload: { cursor: 7 } });
  expect((await updates).payload).toEqual({ cursor: 7 });
  expect(problems).toEqual([]);
});

test('a peer cannot make us emit events of our own', async () => {
  const { ours, say } = await withRaw();
  const events: string[] = [];
  const types = ['closed', 'failed', 'connected', 'connectionstatechange', 'channel:close', 'channel:error'];
  for (const type of types) ours.on(type, () => events.push(type));
  const all: string[] = [];
  ours.on('*', ({ type }: { type: string }) => all.push(type));
  const received = next(ours);
  for (const type of types) say({ type, payload: 'faked' });
  say({ type: 'message', payload: 'after it' });
  await received;
  expect(events).toEqual([]);
  expect(all.slice(0, types.length)).toEqual(types);
});

test('a time that is no text ends nothing', async () => {
  const { ours, say, problems } = await withRaw();
  ours.removeAllListeners('error');
  const received = next(ours);
  say({ type: 'message', timestamp: { toString: 1 }, payload: 'arrives', metadata: { agentId: TWO, ttl: 1 } });
  expect((await received).payload).toBe('arrives');
  expect(problems).toEqual([]);
});

test('pieces may come twice and in any order', async () => {
  const { ours, say } = await withRaw();
  const text = JSON.stringify({ type: 'message', payload: 'whole', metadata: { agentId: TWO } });
  const received = next(ours);
  const parts = [text.slice(0, 5), text.slice(5, 9), text.slice(9)];
  for (const chunkIndex of [2, 0, 2, 0, 1])
    say(piece(parts[chunkIndex], { chunkIndex, totalChunks: 3, messageId: 'm' }));
  expect((await received).payload).toBe('whole');
});

test('a message in pieces beyond 16 MiB, and one beyond 256 at a time, are refused; others arrive', async () => {
  const { ours, say, drained, problems } = await withRaw();
  const part = 'x'.repeat(200_000);
  for (let chunkIndex = 0; chunkIndex < 90; chunkIndex++) {
    say(piece(part, { chunkIndex, totalChunks: 1000, messageId: 'endless' }));
    if (chunkIndex % 30 === 29) await drained();
  }
  for (let i = 0; i < 257; i++) say(piece('x', { chunkIndex: 0, totalChunks: 2, messageId: `begun ${i}` }));
  const received = next(ours);
  say({ type: 'message', payload: 'after it' });
  await received;
  const refusals = problems.map(({ cause }) => (cause as { code: string }).code);
  expect(refusals.length).toBeGreaterThanOrEqual(2);
  expect(new Set(refusals)).toEqual(new Set(['MESSAGE_TOO_LARGE']));
});

test('without a listener for errors the process gets one warning, not an exception', async () => {
  const { ours, say } = await withRaw();
  ours.removeAllListeners('error');
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  cleanup.push(() => warn.mockRestore());
  const received = next(ours);
  say('garbage');
  say('more garbage');
  say({ type: 'error', payload: { code: 'X', message: 'x' }, metadata: { agentId: TWO } });
  say({ type: 'message', payload: 'after it' });
  await received;
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/^Failed to parse message: .*; listen to 'error'/) as string, 'WebRTCTransport'],
  ]);
});

test('what a listener throws reaches the listener for errors, as in the reference', async () => {
  const { ours, say, problems } = await withRaw();
  ours.once('message', () => {
    throw new RangeError('of the program');
  });
  const received = next(ours, 'status');
  say({ type: 'message', payload: 1 });
  say({ type: 'status', payload: 2 });
  await received;
  expect(problems.map(({ message }) => message)).toEqual(['Failed to parse message: RangeError: of the program']);
});

test('signaling messages that make no sense are reported; those for others are not read', async () => {
  const server = newServer();
  const signaling = server.registerAgent(ONE);
  const ours = transport({ agentId: ONE, remoteAgentId: TWO, signaling });
  const problems: unknown[] = [];
  ours.on('error', (error) => problems.push(error instanceof Error ? error.message : error));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  for (const message of [
    null,
    { type: 'offer', to: TWO, from: ONE, sdp: 'garbage' },
    { type: 'offer', to: ONE, from: 'agent://example.com/stranger', sdp: 'garbage' },
    { type: 'ice-candidate', to: ONE, from: TWO },
    { type: 'ice-candidate', to: ONE, from: TWO, candidate: null },
  ]) {
    signaling.emit('message', message);
    await settle();
  }
  expect(problems).toEqual([]);
  signaling.emit('message', { type: 'error', to: ONE, error: { code: 'UNAUTHORIZED', message: 'not allowed' } });
  signaling.emit('message', { type: 'answer', to: ONE, from: TWO, sdp: 'v=0' });
  await settle();
  expect(problems).toEqual([
    { code: 'UNAUTHORIZED', message: 'not allowed' },
    'answer not accepted: Peer connection not initialized',
  ]);
  const refused = once(ours, 'error') as Promise<[Error]>;
  signaling.emit('message', { type: 'offer', to: ONE, from: TWO, sdp: 'garbage' });
  expect((await refused)[0].message).toMatch(/^offer not accepted: /);
});
