// A peer that runs the specification's own code on another stack talks to our agents, in both directions.
import { join } from 'node:path';

import { AgentError, createPeer, createSignalingServer } from 'ossa-webrtc';
import type { AgentMessage, AgentPeer, Link, SignalingServer } from 'ossa-webrtc';

import { Child } from './child';

const NAIVE = 'agent://example.com/naive';
const script = join(__dirname, 'naive-peer.mjs');
let server: SignalingServer;
let ours: AgentPeer;
let naive: Child;

beforeEach(async () => {
  server = await createSignalingServer();
  ours = createPeer({ agentId: 'agent://example.com/ours', signaling: server.url });
  await ours.ready;
});
afterEach(async () => {
  await naive.kill();
  await ours.close();
  await server.close();
});

async function start(mode: string): Promise<void> {
  naive = new Child(script, [mode, server.url]);
  await naive.line(/"ready"/);
}

/** The first messages of a link. */
async function messages(link: Link, count: number): Promise<AgentMessage[]> {
  const received: AgentMessage[] = [];
  for await (const message of link) if (received.push(message) === count) break;
  return received;
}

test('we call it: messages, state updates, calls in every accepted form of answer', async () => {
  await start('answer');
  const link = await ours.connect(NAIVE);
  const refusal = {
    code: 'CAPABILITY_NOT_FOUND',
    message: expect.stringMatching(/does not know how to receive files/) as string,
  };
  const refused = expect(link.sendFile(new Uint8Array(1)).done).rejects.toMatchObject(refusal);
  expect(await link.call('reverse', 'abc')).toBe('cba');
  expect(await link.call('wrapped')).toBe('unwrapped');
  const items: unknown[] = [];
  for await (const item of link.callStream('reverse', 'abc')) items.push(item);
  for await (const item of link.callStream('wrapped')) items.push(item);
  expect(items).toEqual(['cba', 'unwrapped']);
  await expect(link.call('unknown')).rejects.toMatchObject({ code: 'CAPABILITY_NOT_FOUND', message: 'no unknown' });
  const [state] = await messages(link, 1);
  expect(state).toMatchObject({ type: 'state_update', payload: { cursor: 7 }, from: NAIVE });
  // It does not know cancellations: it gets none, and its late answer is dropped.
  const controller = new AbortController();
  const call = link.call('reverse', 'abc', { signal: controller.signal });
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  expect(await link.call('reverse', 'last')).toBe('tsal');
  expect(naive.output.join()).not.toContain('capability_cancel');
  await link.send({ text: 'ü' });
  expect(await naive.line(/"type":"message"/)).toContain('"payload":{"text":"ü"}');
  await refused;
  await link.close();
  await naive.line(/"closed"/);
});

test('it calls us: over a channel that may lose messages, without registration and session ids', async () => {
  ours.handle('sum', (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0));
  ours.handle('letters', function* () {
    yield* ['a', 'b', 'c'];
  });
  const broken = () => {
    throw new AgentError('MY_CODE', 'out of order', { details: { n: 1 } });
  };
  ours.handle('broken', broken, { failAs: 'response' });
  const status = new Promise((resolve) => ours.once('status', resolve));
  const incoming = new Promise<Link>((resolve) => ours.once('link', resolve));
  await start('offer');
  const link = await incoming;
  expect(link.remote.agentId).toBe(NAIVE);
  const [state, message] = await messages(link, 2);
  expect(state).toMatchObject({ type: 'state_update' });
  expect(message).toMatchObject({ type: 'message', payload: 'hello from the specification' });
  const answer = await naive.line(/capability_response/);
  expect(JSON.parse(answer)).toEqual({ type: 'capability_response', payload: 6, correlationId: 'my-correlation' });
  // It knows nothing of streams: it gets one answer, an array. It ignores errors: it gets a response that says so.
  const letters = await naive.line(/"for-letters"/);
  expect(JSON.parse(letters)).toMatchObject({ type: 'capability_response', payload: ['a', 'b', 'c'] });
  const failure = await naive.line(/"for-broken"/);
  const error = { code: 'MY_CODE', message: 'out of order', details: { n: 1 }, retryable: false };
  expect(JSON.parse(failure)).toMatchObject({ type: 'capability_response', payload: { error } });
  expect(await status).toEqual({ status: 'degraded', load: 0.9 });
  expect(await link.call('reverse', 'xyz')).toBe('zyx');
});

test('its refusal, which names no sender, reaches us with its code', async () => {
  await start('refuse');
  await expect(ours.connect(NAIVE)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
});

test('its end is noticed', async () => {
  await start('answer');
  const link = await ours.connect(NAIVE);
  const closed = link.closed;
  naive.process.kill('SIGTERM');
  await naive.ended;
  await link.close();
  await closed;
});
