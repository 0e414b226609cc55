// One trace through all agents that a request goes by, judged by OpenTelemetry's SDK.
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { AgentError, type AgentMessage, type CallContext, type IncomingFile } from 'ossa-webrtc';
import { openTelemetry, traceContextOf } from 'ossa-webrtc/tracing';

import { agents, next, rawSender, rejection, until } from '../agent/two-agents';
import { contextsFollow, tracer } from './observed';

contextsFollow();
const { agent, pair } = agents();

const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId;
const idOf = (span: ReadableSpan) => span.spanContext().spanId;

test('a request that goes by three other agents is one trace, each call below the handler that made it', async () => {
  const observed = tracer();
  const tracing = openTelemetry({ tracerProvider: observed.tracerProvider });
  const names = ['a', 'b', 'c', 'd'];
  const peers = names.map((name) => agent(name, { tracing }));
  peers.slice(1).forEach((peer, at) => {
    const onwards = names[at + 2];
    peer.handle(`hop-${at + 1}`, async (list: string[]) => {
      const seen = [...list, names[at + 1]!];
      return onwards === undefined ? seen : await peer.call(`agent://${onwards}`, `hop-${at + 2}`, seen);
    });
  });
  await Promise.all(peers.map((peer) => peer.ready));
  const result = await observed.tracer.startActiveSpan('request', async (span) => {
    const answer = await peers[0]!.call('agent://b', 'hop-1', []);
    span.end();
    return answer;
  });
  expect(result).toEqual(['b', 'c', 'd']);
  let parent = observed.span('request', SpanKind.INTERNAL);
  const { traceId } = parent.spanContext();
  for (const hop of [1, 2, 3]) {
    for (const kind of [SpanKind.CLIENT, SpanKind.SERVER]) {
      const span = observed.span(`hop-${hop}`, kind);
      expect([span.spanContext().traceId, parentOf(span)]).toEqual([traceId, idOf(parent)]);
      expect(span.attributes).toMatchObject({
        'rpc.system.name': 'ossa-webrtc',
        'rpc.method': `hop-${hop}`,
        'rpc.response.status_code': 'OK',
        'ossa.agent.id': `agent://${names[kind === SpanKind.CLIENT ? hop - 1 : hop]}`,
        'ossa.peer.id': `agent://${names[kind === SpanKind.CLIENT ? hop : hop - 1]}`,
      });
      expect(span.status.code).toBe(SpanStatusCode.UNSET);
      parent = span;
    }
  }
  const connects = () => observed.spans().filter(({ name }) => name === 'connect');
  await until(() => connects().length === 3);
  for (const span of connects()) {
    expect([span.spanContext().traceId, span.attributes['network.transport']]).toEqual([traceId, 'udp']);
    expect(['ipv4', 'ipv6']).toContain(span.attributes['network.type']);
  }
});

test('what is not sampled is not recorded anywhere, and the other side is told so', async () => {
  const [here, there] = [tracer(new ParentBasedSampler({ root: new AlwaysOffSampler() })), tracer()];
  const { ab, b } = await pair({
    a: { tracing: openTelemetry({ tracerProvider: here.tracerProvider }) },
    b: { tracing: openTelemetry({ tracerProvider: there.tracerProvider }) },
  });
  b.handle('f', (_: unknown, { metadata }: CallContext) => metadata['traceparent']);
  expect(await ab.call('f')).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
  expect(here.spans()).toEqual([]);
  expect(there.spans().filter(({ kind }) => kind === SpanKind.SERVER)).toEqual([]);
});

test('calls that fail say on both sides with which code', async () => {
  const [here, there] = [tracer(), tracer()];
  const { ab, b, ba } = await pair({
    a: { tracing: openTelemetry({ tracerProvider: here.tracerProvider }) },
    b: { tracing: openTelemetry({ tracerProvider: there.tracerProvider }) },
  });
  let stopped: ((reason: unknown) => void) | undefined;
  const stops = new Promise((resolve) => (stopped = resolve));
  b.handle('throws', () => {
    throw new RangeError('too far');
  });
  b.handle('refuses', () => {
    throw new AgentError('NOT_TODAY', 'come back tomorrow');
  });
  b.handle('waits', async (_: unknown, { signal }: CallContext) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    stopped?.(signal.reason);
  });
  await Promise.all([rejection(ab.call('throws')), rejection(ab.call('refuses')), rejection(ab.call('x'.repeat(200)))]);
  const controller = new AbortController();
  const waiting = rejection(ab.call('waits', 0, { signal: controller.signal }));
  await until(() => ba.activeCalls === 1);
  controller.abort();
  await Promise.all([waiting, stops]);
  await until(() => there.spans().filter(({ kind }) => kind === SpanKind.SERVER).length === 4);
  const codes = (spans: ReadableSpan[], kind: SpanKind) =>
    Object.fromEntries(
      spans
        .filter((span) => span.kind === kind && span.name !== 'connect')
        .map(({ name, attributes, status, events }) => [
          name.slice(0, 10),
          [
            attributes['error.type'],
            attributes['rpc.response.status_code'],
            status.code,
            events.map((event) => event.name),
          ],
        ]),
    );
  const failed = (code: string) => [code, code, SpanStatusCode.ERROR, ['exception']];
  expect(codes(here.spans(), SpanKind.CLIENT)).toEqual({
    throws: failed('CAPABILITY_FAILED'),
    refuses: failed('NOT_TODAY'),
    waits: failed('TASK_CANCELLED'),
    ['x'.repeat(10)]: failed('CAPABILITY_NOT_FOUND'),
  });
  expect(codes(there.spans(), SpanKind.SERVER)).toEqual({
    throws: failed('RangeError'),
    refuses: failed('NOT_TODAY'),
    waits: failed('TASK_CANCELLED'),
    _OTHER: failed('CAPABILITY_NOT_FOUND'),
  });
  const other = there.span('_OTHER', SpanKind.SERVER);
  expect(other.attributes).toMatchObject({ 'rpc.method': '_OTHER', 'rpc.method_original': 'x'.repeat(128) });
});

test('a connection that does not come about is a span with the reason', async () => {
  const observed = tracer();
  const a = agent('a', { tracing: openTelemetry({ tracerProvider: observed.tracerProvider }) });
  await rejection(a.connect('agent://nobody', { waitForPeer: 0 }));
  const span = observed.span('connect', SpanKind.CLIENT);
  expect(span.attributes).toMatchObject({ 'error.type': 'AGENT_UNREACHABLE', 'ossa.peer.id': 'agent://nobody' });
});

test('a streamed result is one span each, with its items, also if its reader leaves', async () => {
  const observed = tracer();
  const tracing = openTelemetry({ tracerProvider: observed.tracerProvider });
  const { ab, b } = await pair({ a: { tracing }, b: { tracing } });
  b.handle('count', function* (to: number) {
    for (let i = 0; i < to; i++) yield i;
  });
  const items = [];
  for await (const item of ab.callStream('count', 3)) items.push(item);
  expect(items).toEqual([0, 1, 2]);
  const span = observed.span('count', SpanKind.CLIENT);
  expect(span.attributes).toMatchObject({ 'ossa.stream.items': 3, 'rpc.response.status_code': 'OK' });
  for await (const item of ab.callStream('count', 1e9)) if (item === 5) break;
  await until(() => observed.spans().filter(({ name }) => name === 'count').length === 4);
});

test.each([
  ['no text', 7],
  ['an object', { a: 1 }],
  ['empty', ''],
  ['upper case', '00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01'],
  ['version ff', 'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['a trace of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
  ['a parent of zeros', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
  ['more than version 00 has', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more'],
  ['endless', `01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-${'x'.repeat(100_000)}`],
])('a traceparent that is %s begins a trace of its own, and costs nothing else', async (_, traceparent) => {
  const observed = tracer();
  const { ab, b } = await pair({ b: { tracing: openTelemetry({ tracerProvider: observed.tracerProvider }) } });
  b.handle('f', () => 1);
  const say = await rawSender(ab);
  const metadata = { agentId: 'agent://a', correlationId: 'c', traceparent, tracestate: 'a=1' };
  const payload = { capability: 'f', input: null };
  say({ type: 'capability_call', id: 'c', timestamp: new Date().toISOString(), payload, metadata });
  await until(() => observed.spans().length === 1);
  const span = observed.span('f', SpanKind.SERVER);
  expect([span.parentSpanContext, span.links, span.status.code]).toEqual([undefined, [], SpanStatusCode.UNSET]);
  expect(await ab.call('f')).toBe(1);
});

test('a traceparent of a later version is gone on with, and a tracestate beyond the bounds is left out', () => {
  const traceparent = 'cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff-what.ever';
  const of = (tracestate: unknown) => trace.getSpanContext(traceContextOf({ traceparent, tracestate }))!;
  expect(of('a=1,b=2')).toMatchObject({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: 1,
    isRemote: true,
  });
  expect(of('a=1,b=2').traceState!.serialize()).toBe('a=1,b=2');
  for (const state of [7, '', 'a=1,'.repeat(40), `a=${'x'.repeat(600)}`]) expect(of(state).traceState).toBeUndefined();
});

test('a call of an agent that is not trusted begins a trace of its own with a link to the other', async () => {
  const [here, there] = [tracer(new AlwaysOnSampler()), tracer()];
  const trust = jest.fn((agentId: string) => {
    if (agentId === 'agent://a') throw new Error('a mistake in the application');
    return true;
  });
  const { ab, b } = await pair({
    a: { tracing: openTelemetry({ tracerProvider: here.tracerProvider }) },
    b: { tracing: openTelemetry({ tracerProvider: there.tracerProvider, trust }) },
  });
  b.handle('f', () => 1);
  expect(await ab.call('f')).toBe(1);
  await until(() => there.spans().some(({ kind }) => kind === SpanKind.SERVER));
  const [client, server] = [here.span('f', SpanKind.CLIENT), there.span('f', SpanKind.SERVER)];
  expect(server.spanContext().traceId).not.toBe(client.spanContext().traceId);
  expect(server.links.map((link) => link.context.spanId)).toEqual([idOf(client)]);
});

test('a file is a span on either side, of one trace', async () => {
  const observed = tracer();
  const tracing = openTelemetry({ tracerProvider: observed.tracerProvider });
  const { ab, ba } = await pair({ a: { tracing }, b: { tracing } });
  ba.on('file', (file: IncomingFile) => void file.accept(new WritableStream()));
  await ab.sendFile(Buffer.alloc(100_000)).done;
  await until(() => observed.spans().some(({ name }) => name === 'receive file'));
  const [sent, got] = [observed.span('send file', SpanKind.PRODUCER), observed.span('receive file', SpanKind.CONSUMER)];
  expect([got.spanContext().traceId, parentOf(got)]).toEqual([sent.spanContext().traceId, idOf(sent)]);
  expect([sent.attributes['file.size'], got.attributes['file.size']]).toEqual([100_000, 100_000]);
  expect(sent.attributes['ossa.file.id']).toBe(got.attributes['ossa.file.id']);
});

test('messages say which span they were sent in, unless there is none or they say so themselves', async () => {
  const observed = tracer();
  const { ab, ba } = await pair({ a: { tracing: openTelemetry({ tracerProvider: observed.tracerProvider }) } });
  const received = async (send: () => Promise<unknown>) => {
    const message = next<AgentMessage>(ba, 'message');
    await send();
    return (await message).metadata;
  };
  expect(Object.keys(await received(() => ab.send(1)))).toEqual(['agentId', 'channelId']);
  const [metadata, own] = await observed.tracer.startActiveSpan('sending', async (span) => {
    const both = [
      await received(() => ab.send(2)),
      await received(() => ab.send(3, { metadata: { traceparent: 'mine' } })),
    ];
    span.end();
    return both as [AgentMessage['metadata'], AgentMessage['metadata']];
  });
  expect(own['traceparent']).toBe('mine');
  const there = tracer();
  context.with(traceContextOf(metadata), () => there.tracer.startSpan('received').end());
  expect(parentOf(there.span('received', SpanKind.INTERNAL))).toBe(idOf(observed.span('sending', SpanKind.INTERNAL)));
});

test('without tracing nothing of it is in calls and messages', async () => {
  const { ab, b, ba } = await pair();
  b.handle('f', (_: unknown, { metadata }: CallContext) => metadata);
  expect(Object.keys((await ab.call<object>('f')) ?? {})).toEqual(['agentId', 'correlationId']);
  const message = next<AgentMessage>(ba, 'message');
  const observed = tracer();
  await observed.tracer.startActiveSpan('sending', () => ab.send(1));
  expect(Object.keys((await message).metadata)).toEqual(['agentId', 'channelId']);
});

test.each([
  ['tracing', () => agent('a', { tracing: {} as never })],
  ['tracerProvider', () => openTelemetry({ tracerProvider: {} as never })],
  ['meterProvider', () => openTelemetry({ meterProvider: null as never })],
  ['trust', () => openTelemetry({ trust: true as never })],
  ['tracer', () => openTelemetry({ tracer: 1 } as never)],
])('a wrong %s is refused by name', (name, attempt) => {
  expect(attempt).toThrow(TypeError);
  expect(attempt).toThrow(name);
});
