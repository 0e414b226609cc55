// The channels that carry messages: between two agents, with hand-written peers, and where the two sides differ.
import { createPeer, MemorySignaling, RTCPeerConnection } from 'ossa-webrtc';
import type { AgentError, AgentPeer, ChannelPreset, Link, PeerOptions, RTCDataChannel } from 'ossa-webrtc';

import { LossyPath } from './lossy-path';

const open: AgentPeer[] = [];
let signaling: MemorySignaling;
let connection: RTCPeerConnection | undefined;

beforeEach(() => {
  signaling = new MemorySignaling();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
  connection?.close();
});

function agent(name: string, channels: ChannelPreset, options: Partial<PeerOptions> = {}): AgentPeer {
  const peer = createPeer({ agentId: `agent://${name}`, signaling, channels, ...options });
  open.push(peer);
  peer.handle('who', () => peer.agentId);
  return peer;
}

/** The first value of an event. */
function next<T>(emitter: { once(name: never, listener: (value: never) => void): unknown }, name: string): Promise<T> {
  return new Promise((resolve) => emitter.once(name as never, resolve));
}

/** A peer that runs the specification's code: it dials the agent, with the channels that `make` makes. */
async function dial(
  to: AgentPeer,
  make: (connection: RTCPeerConnection) => RTCDataChannel[],
): Promise<RTCDataChannel[]> {
  await to.ready;
  const naive = (connection = new RTCPeerConnection());
  const channels = make(naive);
  const message = { from: 'agent://naive', to: to.agentId };
  naive.onicecandidate = ({ candidate }) => {
    if (candidate) signaling.send({ ...message, type: 'ice-candidate', candidate: candidate.toJSON() });
  };
  const described = new Promise<void>((resolve) => {
    signaling.subscribe('agent://naive', ({ type, sdp, candidate }) => {
      if (type === 'answer') void naive.setRemoteDescription({ type, sdp: sdp as string }).then(resolve);
      if (type === 'ice-candidate') void naive.addIceCandidate(candidate ?? undefined);
    });
  });
  const { sdp } = await naive.createOffer();
  await naive.setLocalDescription({ type: 'offer', sdp });
  signaling.send({ ...message, type: 'offer', sdp });
  await described;
  const opened = channels.map(async (channel) => {
    if (channel.readyState !== 'open') await new Promise((resolve) => (channel.onopen = resolve));
  });
  await Promise.all(opened);
  return channels;
}

const call = JSON.stringify({
  type: 'capability_call',
  id: '6f2c1d0e-1111-4222-8333-444455556666',
  timestamp: new Date(0).toISOString(),
  payload: { capability: 'who', input: null },
  metadata: { agentId: 'agent://naive' },
});

/** What comes through a channel, parsed; heartbeats left out. */
function answers(channel: RTCDataChannel | undefined): Promise<{ type: string; payload: unknown }> {
  return new Promise((resolve) => {
    channel!.onmessage = ({ data }) => {
      const message = JSON.parse(data as string) as { type: string; payload: unknown };
      if (message.type !== 'heartbeat') resolve(message);
    };
  });
}

describe.each<ChannelPreset>(['single', 'multiplex', 'reference'])('%s', (preset) => {
  test('two agents understand each other, both ways, and again after both have dialled at once', async () => {
    const [a, b] = [agent('a', preset), agent('b', preset)];
    await Promise.all([a.ready, b.ready]);
    const [ab, ba] = await Promise.all([a.connect('agent://b'), b.connect('agent://a')]);
    expect(await Promise.all([ab.call('who'), ba.call('who')])).toEqual(['agent://b', 'agent://a']);
    const channel = await ab.createChannel('mine');
    expect(channel.state).toBe('open');
  });
});

test("multiplex is the specification's: control, data and events, negotiated as 0, 1 and 2", async () => {
  const a = agent('a', 'multiplex');
  const linked = next<Link>(a, 'link');
  const [control, data, events] = await dial(a, (naive) => [
    naive.createDataChannel('control', { ordered: true, negotiated: true, id: 0 }),
    naive.createDataChannel('data', { ordered: false, negotiated: true, id: 1 }),
    naive.createDataChannel('events', { ordered: true, maxRetransmits: 3, negotiated: true, id: 2 }),
  ]);
  const link = await linked;
  const received: unknown[] = [];
  link.on('message', ({ payload }) => received.push(payload));
  const update = (payload: string) => JSON.stringify({ type: 'state_update', payload });
  data!.send(update('through data'));
  events!.send(update('through events'));
  const answered = answers(control);
  control!.send(call);
  expect(await answered).toMatchObject({ type: 'capability_response', payload: 'agent://a' });
  while (received.length < 2) await new Promise(setImmediate);
  expect(received.sort()).toEqual(['through data', 'through events']);
  await expect(link.createChannel('events')).rejects.toThrow(TypeError);
});

test("reference is the class's: control and data in-band, made by the one that dials", async () => {
  const a = agent('a', 'reference');
  const linked = next<Link>(a, 'link');
  const [control, data] = await dial(a, (naive) => [
    naive.createDataChannel('control', { ordered: true }),
    naive.createDataChannel('data', { ordered: false, maxRetransmits: 0 }),
  ]);
  const link = await linked;
  const received = next<{ payload: unknown }>(link, 'message');
  data!.send(JSON.stringify({ type: 'state_update', payload: 'through data' }));
  expect((await received).payload).toBe('through data');
  const answered = answers(control);
  control!.send(call);
  expect(await answered).toMatchObject({ type: 'capability_response', payload: 'agent://a' });
});

test('messages go through the channel that they name, the rest through the main one', async () => {
  const a = agent('a', 'multiplex');
  const linked = next<Link>(a, 'link');
  const channels = await dial(a, (naive) => [
    naive.createDataChannel('control', { ordered: true, negotiated: true, id: 0 }),
    naive.createDataChannel('data', { ordered: false, negotiated: true, id: 1 }),
    naive.createDataChannel('events', { ordered: true, maxRetransmits: 3, negotiated: true, id: 2 }),
  ]);
  const link = await linked;
  const received = channels.map((channel) => answers(channel));
  await link.send('plain');
  await link.send('state', { channel: 'data' });
  await link.send('news', { channel: 'events' });
  const payloads = (await Promise.all(received)).map(({ payload }) => payload);
  expect(payloads).toEqual(['plain', 'state', 'news']);
  await expect(link.send('nowhere', { channel: 'else' })).rejects.toThrow(TypeError);
});

test('messages that name a channel wait for the next connection, as all others do', async () => {
  const path = new LossyPath();
  const options: Partial<PeerOptions> = {
    signaling: path.over(signaling),
    transport: { ice: { maxRto: 100, disconnectedTimeout: 400, failedTimeout: 800 } },
    reconnect: { delay: 50, attemptTimeout: 1000, attempts: 1000 },
  };
  const [a, b] = [agent('a', 'multiplex', options), agent('b', 'multiplex', options)];
  await b.ready;
  const [ab, ba] = await Promise.all([a.connect('agent://b'), next<Link>(b, 'link')]);
  const rebuilding = new Promise<void>((resolve) => {
    ab.on('reconnecting', ({ how }) => how === 'rebuild' && resolve());
  });
  path.lose();
  await rebuilding;
  const sent = ab.send('late', { channel: 'data' });
  const received = next<{ payload: unknown }>(ba, 'message');
  path.cut = false;
  expect((await received).payload).toBe('late');
  await sent;
  await Promise.all(open.splice(0).map((peer) => peer.close()));
  path.close();
});

describe('two sides that were made differently', () => {
  test.each<[ChannelPreset, string]>([
    ['single', 'ossa-channel'],
    ['reference', 'control'],
  ])('learn it from each other: %s and multiplex', async (preset, label) => {
    const [a, b] = [agent('a', preset), agent('b', 'multiplex')];
    await b.ready;
    const [link, there] = await Promise.all([a.connect('agent://b'), next<Link>(b, 'link')]);
    const ends = [next<AgentError>(there, 'close'), next<AgentError>(link, 'close')];
    expect(await next<AgentError>(link, 'problem')).toMatchObject({ code: 'PROTOCOL_ERROR' });
    expect((await ends[0])?.message).toContain(`announced a channel ("${label}")`);
    await ends[1];
  });

  test('learn it: channels of another preset come, or those of the own one do not', async () => {
    agent('b', 'single');
    const a = agent('a', 'reference');
    const link = await a.connect('agent://b');
    const over = next(link, 'close');
    expect(await next<AgentError>(link, 'problem')).toMatchObject({
      code: 'PROTOCOL_ERROR',
      message:
        'agent://b: agent://a has not opened the channel "ossa-channel"; it has opened "control" as \'reference\' does, ' +
        "while this agent was made with channels: 'single'; both must use the same",
    });
    await over;
  });

  test('learn it where one of them negotiates', async () => {
    const a = agent('a', 'multiplex');
    const linked = next<Link>(a, 'link');
    await dial(a, (naive) => [
      naive.createDataChannel('control', { ordered: true, id: 6, negotiated: true }),
      naive.createDataChannel('data', { ordered: false, maxRetransmits: 0, id: 8, negotiated: true }),
      // It takes the stream on which the own side would see a collision first.
      naive.createDataChannel('events', { negotiated: true, id: 1 }),
      naive.createDataChannel('data', { ordered: false, maxRetransmits: 0 }),
    ]);
    const link = await linked;
    expect(await next<AgentError>(link, 'close')).toMatchObject({
      code: 'PROTOCOL_ERROR',
      message: expect.stringContaining('has opened the channel "data": it uses \'reference\'') as string,
    });
  });

  test('hear of it when a negotiated channel stays silent', async () => {
    const a = agent('a', 'multiplex', { heartbeat: 20 });
    const linked = next<Link>(a, 'link');
    await dial(a, (naive) => [naive.createDataChannel('something', { negotiated: true, id: 100 })]);
    const problem = await next<AgentError>(await linked, 'problem');
    expect(problem.code).toBe('PROTOCOL_ERROR');
    expect(problem.message).toMatch(/^nothing has come from agent:\/\/naive through the negotiated channel "control"/);
  });
});

test('a preset that does not exist is refused', () => {
  expect(() => agent('a', 'triple' as never)).toThrow('channels must be one of single, multiplex, reference');
});
