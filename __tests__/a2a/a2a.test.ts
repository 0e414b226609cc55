// A2A over a link, by the official SDK on both sides.
import { TaskState, type Task } from '@a2a-js/sdk';
import { ClientFactory } from '@a2a-js/sdk/client';
import { TaskNotFoundError, VersionNotSupportedError } from '@a2a-js/sdk/errors';

import { AgentError, generateAgentKeys, type AgentPeer, type PeerOptions } from 'ossa-webrtc';
import {
  a2aClientFactory,
  LinkCardResolver,
  LinkTransportFactory,
  serveA2a,
  type ServeA2aOptions,
} from 'ossa-webrtc/a2a';

import { agents, rejection, until } from '../agent/two-agents';
import { cardOf, counting, said, textOf } from './setup';

const { agent } = agents();

/** A client on one agent for a service on another one, which it finds by the card. */
async function served(options: ServeA2aOptions = {}, of: { a?: Partial<PeerOptions>; b?: Partial<PeerOptions> } = {}) {
  const [a, b] = [agent('a', of.a), agent('b', of.b)];
  const { counter, handler } = counting('agent://b');
  const serving = serveA2a(b, handler, { unauthenticated: true, ...options });
  await b.ready;
  return { a, b, counter, serving, client: await a2aClientFactory(a).createFromUrl('agent://b') };
}

test('a client finds the card of an agent over the link and sends it a message', async () => {
  const { client } = await served();
  expect(await client.getAgentCard()).toMatchObject({ name: 'Counter', capabilities: { streaming: true } });
  expect(textOf(await client.sendMessage(said('who')))).toBe('agent://a false none');
});

test('a task is done, kept and found again', async () => {
  const { client } = await served();
  const task = (await client.sendMessage(said('count 3'))) as Task;
  expect(task.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
  const found = await client.getTask({ id: task.id, historyLength: undefined, tenant: '' });
  expect(found.artifacts[0]!.parts.map(({ content }) => content?.value as unknown)).toEqual(['1', '2', '3']);
});

test('events stream in order, as they come', async () => {
  const { client, counter } = await served();
  counter.hold();
  const numbers: string[] = [];
  let last: unknown;
  for await (const { payload } of client.sendMessageStream(said('count 200'))) {
    if (payload?.$case === 'artifactUpdate') numbers.push(payload.value.artifact!.parts[0]!.content!.value as string);
    if (numbers.length === 100) counter.release();
    last = payload;
  }
  expect(numbers).toEqual(Array.from({ length: 200 }, (_, index) => String(index + 1)));
  expect(last).toMatchObject({ $case: 'statusUpdate', value: { status: { state: TaskState.TASK_STATE_COMPLETED } } });
});

test('whoever leaves a stream stops reading it, and subscribes to its task again', async () => {
  const { client, counter, b } = await served();
  counter.hold();
  let id = '';
  for await (const { payload } of client.sendMessageStream(said('count 10'))) {
    if (payload?.$case === 'task') id = payload.value.id;
    if (payload?.$case === 'artifactUpdate') break;
  }
  await until(() => b.links.get('agent://a')!.activeCalls === 0);
  let state: unknown;
  for await (const { payload } of client.resubscribeTask({ id, tenant: '' })) {
    counter.release();
    if (payload?.$case === 'statusUpdate') state = payload.value.status?.state;
  }
  expect(state).toBe(TaskState.TASK_STATE_COMPLETED);
});

test('a task is cancelled', async () => {
  const { client, counter } = await served();
  counter.hold();
  const events = client.sendMessageStream(said('count 10'));
  const { value } = (await events.next()) as IteratorYieldResult<{ payload: { value: Task } }>;
  await client.cancelTask({ id: value.payload.value.id, tenant: '', metadata: undefined });
  expect(counter.cancelled).toEqual([value.payload.value.id]);
  counter.release();
  await events.return();
});

test('an error of the other agent is the one of the SDK, also of a stream', async () => {
  const { client } = await served();
  const missing = { id: 'missing', historyLength: undefined, tenant: '' };
  expect(await rejection(client.getTask(missing))).toBeInstanceOf(TaskNotFoundError);
  expect(await rejection(client.resubscribeTask({ id: 'missing', tenant: '' }).next())).toBeInstanceOf(
    TaskNotFoundError,
  );
});

test('a version that the card does not name is refused', async () => {
  const { client } = await served();
  const options = { serviceParameters: { 'A2A-Version': '0.1' } };
  expect(await rejection(client.transport.sendMessage(said('who'), options))).toBeInstanceOf(VersionNotSupportedError);
});

test('an answer of three megabytes arrives whole', async () => {
  const { client } = await served();
  expect(textOf(await client.sendMessage(said('big 3000000'))).length).toBe(3_000_000);
});

test('the agent knows who asks if its name is proven', async () => {
  const keys = await Promise.all([generateAgentKeys(), generateAgentKeys()]);
  const pinned = { 'agent://a': keys[0].publicKey, 'agent://b': keys[1].publicKey };
  const auth = (index: 0 | 1) => ({ auth: { keys: keys[index], pinned } });
  const { client } = await served({ unauthenticated: false }, { a: auth(0), b: auth(1) });
  expect(textOf(await client.sendMessage(said('who')))).toBe('agent://a true pinned');
});

test('an agent that is not known gets nothing, or the card alone if that is public', async () => {
  const [a, b] = [agent('a'), agent('b')];
  const { handler } = counting('agent://b');
  serveA2a(b, handler);
  serveA2a(b, handler, { name: 'public', publicCard: true });
  await b.ready;
  const factory = (name?: string) => a2aClientFactory(a, { name });
  expect(await rejection(factory().createFromUrl('agent://b'))).toMatchObject({ code: 'UNAUTHORIZED' });
  const client = await factory('public').createFromUrl('agent://b');
  expect(await rejection(client.sendMessage(said('who')))).toMatchObject({ code: 'UNAUTHORIZED' });
});

test('an agent that does not serve A2A, or is not there, is told as it is', async () => {
  const [a, b] = [agent('a'), agent('b')];
  await b.ready;
  const create = (url: string) => rejection(a2aClientFactory(a).createFromUrl(url));
  expect(await create('agent://b')).toMatchObject({ code: 'CAPABILITY_NOT_FOUND' });
  expect(await create('agent://nobody')).toMatchObject({ code: 'AGENT_UNREACHABLE' });
  expect(await create('ftp://nobody')).toBeInstanceOf(TypeError);
});

test('a stream whose link is closed ends with the reason', async () => {
  const { a, client, counter } = await served();
  counter.hold();
  const events = client.sendMessageStream(said('count 10'));
  await events.next();
  await a.links.get('agent://b')!.close();
  const rest = async () => {
    for await (const _ of events);
  };
  expect(await rejection(rest())).toMatchObject({ code: 'AGENT_UNREACHABLE' });
  counter.release();
});

test('a request can be given up', async () => {
  const { client, counter, b } = await served();
  counter.hold();
  const signal = AbortSignal.timeout(10);
  expect(await rejection(client.sendMessage(said('count 2'), { signal }))).toMatchObject({ code: 'TASK_CANCELLED' });
  counter.release();
  await until(() => b.links.get('agent://a')!.activeCalls === 0);
});

test('a factory of one’s own takes the transport and the cards', async () => {
  const { a } = await served();
  const factory = new ClientFactory({
    transports: [new LinkTransportFactory(a)],
    cardResolver: new LinkCardResolver(a),
  });
  const client = await factory.createFromUrl('agent://b');
  expect(textOf(await client.sendMessage(said('who')))).toBe('agent://a false none');
});

describe('from somebody who does not keep to it', () => {
  const calling = async (peer: AgentPeer, input: unknown) =>
    peer.call<{ rpc: { error: unknown } }>('agent://b', 'a2a', input);

  test.each<[string, unknown]>([
    ['null', null],
    ['text', 'text'],
    ['an empty object', {}],
    ['a request that is an array', { rpc: [] }],
    ['parameters that are text', { rpc: {}, parameters: 'x' }],
    ['a parameter that is no text', { rpc: {}, parameters: { a: 1 } }],
    ['a long parameter', { rpc: {}, parameters: { a: 'x'.repeat(10_000) } }],
    [
      'a hundred parameters',
      { rpc: {}, parameters: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [i, ''])) },
    ],
  ])('%s is refused', async (_, input) => {
    const { a } = await served();
    expect(await rejection(calling(a, input))).toMatchObject({ code: 'INVALID_MESSAGE' });
  });

  test.each([
    [{}],
    [{ jsonrpc: '2.0', method: 'Nonsense', id: 1, params: {} }],
    [{ jsonrpc: '2.0', method: 'SendMessage', id: {}, params: {} }],
    [{ jsonrpc: '2.0', method: 'SendMessage', id: 1, params: { message: 7 } }],
    [{ jsonrpc: '2.0', method: 'SendStreamingMessage', id: 1, params: {} }],
    [JSON.parse('{"jsonrpc":"2.0","method":"GetTask","id":1,"params":{"__proto__":{"id":"x"}}}') as object],
  ])('the request %j is answered with an error', async (rpc) => {
    const { a, client } = await served();
    const answer = await calling(a, { rpc, parameters: { 'a2a-version': '1.0' } });
    expect([answer].flat()[0]!.rpc.error).toBeDefined();
    expect(textOf(await client.sendMessage(said('who')))).toBe('agent://a false none');
  });

  test.each([[{ wrong: true }], ['text'], [{ card: undefined }]])('the answer %j is told', async (answer) => {
    const [a, b] = [agent('a'), agent('b')];
    b.handle('a2a', () => answer);
    await b.ready;
    expect(await rejection(a2aClientFactory(a).createFromUrl('agent://b'))).toMatchObject({ code: 'PROTOCOL_ERROR' });
  });
});

test('more requests than may wait are refused', async () => {
  const { client, counter } = await served({ concurrency: 1, queue: 1 });
  counter.hold();
  const all = [1, 2, 3].map(() => client.sendMessage(said('count 1')).catch((error: AgentError) => error.code));
  expect(await all[2]).toBe('RATE_LIMIT_EXCEEDED');
  counter.release();
  expect(await Promise.all(all.slice(0, 2))).toEqual([expect.objectContaining({}), expect.objectContaining({})]);
});

test('a service that is closed is not found, and its name is free', async () => {
  const { a, b, serving } = await served();
  serving.close();
  expect(await rejection(a2aClientFactory(a).createFromUrl('agent://b'))).toMatchObject({
    code: 'CAPABILITY_NOT_FOUND',
  });
  serveA2a(b, counting('agent://b').handler);
  expect(() => serveA2a(b, counting('agent://b').handler)).toThrow(/has a handler already/);
});

test.each([
  [() => serveA2a(agent('x'), counting('agent://x').handler, { allowed: [] } as never), /no member "allowed"/],
  [() => serveA2a(agent('x'), counting('agent://x').handler, { publicCard: 1 as never }), /publicCard must be/],
  [() => a2aClientFactory(agent('x'), { timeout: 0 }), /timeout must be/],
  [() => a2aClientFactory(agent('x'), { url: 'x' } as never), /no member "url"/],
])('wrong options are told (%#)', (wrong, message) => {
  expect(wrong).toThrow(message);
});

test('a card says in its own words that it is reached over a link', () => {
  expect(cardOf('agent://b').supportedInterfaces[0]).toMatchObject({ protocolBinding: 'OSSA-LINK', url: 'agent://b' });
});
