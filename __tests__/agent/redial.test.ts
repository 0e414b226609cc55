// Who dials when a link is down, against another end that is written by hand on a plain W3C connection.
import { createPeer, MemorySignaling, RTCPeerConnection } from 'ossa-webrtc';
import type { AgentPeer, Link, PeerOptions, RTCDataChannel, SignalingAdapter, SignalingMessage } from 'ossa-webrtc';

import { LossyPath } from './lossy-path';

const OURS = 'agent://m';
let signaling: SignalingAdapter;
let path: LossyPath;
let peer: AgentPeer;
let remote: Remote | undefined;

beforeEach(() => {
  path = new LossyPath();
  signaling = path.over(new MemorySignaling());
});
afterEach(async () => {
  await peer.close();
  remote?.close();
  path.close();
});

/** The other end: plain connections, and a list of what the agent has sent. */
class Remote {
  readonly inbox: SignalingMessage[] = [];
  readonly #connections: RTCPeerConnection[] = [];
  #waiting: (() => void)[] = [];

  constructor(readonly agentId: string) {
    const deliver = (message: SignalingMessage) => {
      this.inbox.push(message);
      for (const wake of this.#waiting.splice(0)) wake();
    };
    void signaling.subscribe(agentId, deliver, () => undefined);
  }

  /** The next message of a type, and of a set-up if one is named, taken out. */
  async next(type: SignalingMessage['type'], sessionId?: string): Promise<SignalingMessage> {
    for (;;) {
      const fits = (message: SignalingMessage) =>
        message.type === type && (sessionId === undefined || message.sessionId === sessionId);
      const at = this.inbox.findIndex(fits);
      if (at >= 0) return this.inbox.splice(at, 1)[0]!;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  send(message: Omit<SignalingMessage, 'from' | 'to'>): void {
    void signaling.send({ ...message, from: this.agentId, to: OURS });
  }

  /** A connection whose candidates stand in its description, so that nothing else need be sent. */
  #connect(): RTCPeerConnection {
    const connection = new RTCPeerConnection();
    this.#connections.push(connection);
    return connection;
  }

  async answer(offer: SignalingMessage): Promise<RTCDataChannel> {
    const connection = this.#connect();
    const channel = new Promise<RTCDataChannel>((resolve) => {
      connection.ondatachannel = ({ channel: announced }) => resolve(announced);
    });
    await connection.setRemoteDescription({ type: 'offer', sdp: offer.sdp as string });
    await connection.setLocalDescription();
    await gathered(connection);
    this.send({ type: 'answer', sessionId: offer.sessionId, sdp: connection.localDescription!.sdp });
    void this.#trickle(connection, offer.sessionId);
    return await channel;
  }

  async offer(sessionId: string | undefined): Promise<{ channel: RTCDataChannel; answered: () => Promise<void> }> {
    const connection = this.#connect();
    const channel = connection.createDataChannel('ossa-channel');
    await connection.setLocalDescription();
    await gathered(connection);
    this.send({ type: 'offer', sessionId, sdp: connection.localDescription!.sdp });
    const answered = async () => {
      const answer = await this.next('answer');
      await connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp as string });
      void this.#trickle(connection, sessionId);
      if (channel.readyState !== 'open') await new Promise((resolve) => (channel.onopen = resolve));
    };
    return { channel, answered };
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  async #trickle(connection: RTCPeerConnection, sessionId: string | undefined): Promise<void> {
    while (connection.connectionState !== 'closed') {
      const { candidate } = await this.next('ice-candidate', sessionId);
      // Those of a connection that was given up do not fit any more.
      await connection.addIceCandidate(candidate ?? undefined).catch(() => undefined);
    }
  }
}

async function gathered(connection: RTCPeerConnection): Promise<void> {
  while (connection.iceGatheringState !== 'complete') {
    await new Promise((resolve) => (connection.onicegatheringstatechange = resolve));
  }
}

function start(options: Partial<PeerOptions> = {}): void {
  peer = createPeer({
    agentId: OURS,
    signaling,
    transport: { ice: { maxRto: 100, disconnectedTimeout: 400, failedTimeout: 800 } },
    // The first attempt waits for its answer, however busy the machine is.
    reconnect: { attemptTimeout: 60_000, delay: 50 },
    ...options,
  });
}

/** A link that we made, whose path was cut and whose connection was forgotten until we dial again; and the offer of that attempt. */
async function redialling(name: string): Promise<{ link: Link; offer: SignalingMessage }> {
  start();
  remote = new Remote(name);
  const connecting = peer.connect(name);
  await remote.answer(await remote.next('offer'));
  const link = await connecting;
  path.lose();
  const offer = await remote.next('offer');
  expect(offer.sessionId).toMatch(/~1$/);
  path.cut = false;
  return { link, offer };
}

/** Whether messages go both ways. */
async function works(link: Link, channel: RTCDataChannel): Promise<void> {
  const heard = new Promise<string>((resolve) => {
    channel.onmessage = ({ data }) => (data as string).includes('over the new one') && resolve(data as string);
  });
  await link.send('over the new one');
  expect(JSON.parse(await heard)).toMatchObject({ type: 'message', payload: 'over the new one' });
  const received = new Promise<unknown>((resolve) => link.once('message', ({ payload }) => resolve(payload)));
  channel.send(JSON.stringify({ type: 'state_update', payload: 'and back' }));
  expect(await received).toBe('and back');
}

test('the other side answering our new offer brings the link back', async () => {
  const { link, offer } = await redialling('agent://z');
  const back = new Promise((resolve) => link.once('reconnected', resolve));
  const channel = await remote!.answer(offer);
  expect(await back).toMatchObject({ how: 'rebuilt', attempts: 1 });
  await works(link, channel);
});

test('both sides dialling at once get one connection: the greater name has its way', async () => {
  const { link, offer } = await redialling('agent://z');
  const back = new Promise((resolve) => link.once('reconnected', resolve));
  const { channel, answered } = await remote!.offer(offer.sessionId);
  await answered();
  expect(await back).toMatchObject({ how: 'rebuilt' });
  await works(link, channel);
  expect([...peer.links.values()]).toEqual([link]);
});

test('both sides dialling at once, and ours is the greater name: the other offer goes unanswered', async () => {
  const { link, offer } = await redialling('agent://a');
  const back = new Promise((resolve) => link.once('reconnected', resolve));
  await remote!.offer(offer.sessionId);
  const channel = await remote!.answer(offer);
  expect(await back).toMatchObject({ how: 'rebuilt' });
  await works(link, channel);
  expect(remote!.inbox.filter(({ type }) => type === 'answer')).toEqual([]);
});

test('a later offer of the other side counts, whoever has the greater name; an older one does not', async () => {
  const { link, offer } = await redialling('agent://a');
  const name = offer.sessionId!.slice(0, -2);
  const back = new Promise((resolve) => link.once('reconnected', resolve));
  await remote!.offer(name);
  const { channel, answered } = await remote!.offer(`${name}~7`);
  await answered();
  expect(await back).toMatchObject({ how: 'rebuilt' });
  await works(link, channel);
});

test('an agent that answers the restart of ICE as another program is dialled anew', async () => {
  start({ reconnect: { attemptTimeout: 60_000, grace: 20 } });
  remote = new Remote('agent://z');
  const connecting = peer.connect('agent://z');
  await remote.answer(await remote.next('offer'));
  const link = await connecting;
  const back = new Promise((resolve) => link.once('reconnected', resolve));
  path.cut = true;
  const restart = await remote.next('offer');
  path.cut = false;
  // The name is the same as before, the certificate is not.
  void remote.answer(restart);
  const anew = await remote.next('offer');
  expect(anew.sessionId).toBe(`${restart.sessionId}~1`);
  await works(link, await remote.answer(anew).then(async (channel) => (await back, channel)));
});

test('a refusal ends the link; it is not asked for again', async () => {
  const { link, offer } = await redialling('agent://z');
  const over = new Promise((resolve) => link.once('close', resolve));
  const error = { code: 'UNAUTHORIZED', message: 'not any more' };
  remote!.send({ type: 'error', sessionId: offer.sessionId, error });
  expect(await over).toMatchObject({ code: 'UNAUTHORIZED', message: 'agent://z: not any more' });
});

test('answers and candidates of an attempt that was given up change nothing', async () => {
  const { link, offer } = await redialling('agent://z');
  const back = new Promise((resolve) => link.once('reconnected', resolve));
  const problems: unknown[] = [];
  link.on('problem', (error) => problems.push(error));
  const old = offer.sessionId!.slice(0, -2);
  remote!.send({ type: 'answer', sessionId: old, sdp: 'v=0' });
  remote!.send({ type: 'ice-candidate', sessionId: old, candidate: { candidate: 'nonsense' } });
  remote!.send({ type: 'error', sessionId: old, error: { code: 'AGENT_UNREACHABLE', message: 'late' } });
  const channel = await remote!.answer(offer);
  await back;
  await works(link, channel);
  expect(problems).toEqual([]);
});

describe('heartbeats', () => {
  /** What one of our own agents says first. */
  const hello = (heartbeat: number) =>
    JSON.stringify({
      type: 'heartbeat',
      id: '6f2c1d0e-1111-4222-8333-444455556666',
      timestamp: new Date(0).toISOString(),
      payload: {},
      metadata: { agentId: 'agent://z', ossa: { version: 1, heartbeat, features: [] } },
    });

  async function connected(options: Partial<PeerOptions> = {}): Promise<{ link: Link; channel: RTCDataChannel }> {
    start(options);
    remote = new Remote('agent://z');
    const connecting = peer.connect('agent://z');
    const channel = await remote.answer(await remote.next('offer'));
    return { link: await connecting, channel };
  }

  test('go out at the interval that was set, as full envelopes', async () => {
    const { channel } = await connected({ heartbeat: 20 });
    const seen: { type: string; payload: object; metadata: { agentId: string } }[] = [];
    await new Promise<void>((resolve) => {
      channel.onmessage = ({ data }) => {
        seen.push(JSON.parse(data as string) as (typeof seen)[number]);
        if (seen.length === 4) resolve();
      };
    });
    expect(new Set(seen.map(({ type }) => type))).toEqual(new Set(['heartbeat']));
    expect(seen[3]).toMatchObject({
      payload: { timestamp: expect.any(String) as string },
      metadata: { agentId: OURS },
    });
  });

  test('that stop coming from an agent that had sent some lead to a new connection; the old one stays until it is there', async () => {
    const { link, channel } = await connected();
    const step = new Promise((resolve) => link.once('reconnecting', resolve));
    channel.send(hello(20));
    expect(await step).toEqual({ how: 'rebuild', reason: 'heartbeat', attempt: 1, delay: 0 });
    const offer = await remote!.next('offer');
    expect(offer.sessionId).toMatch(/~1$/);
    expect(channel.readyState).toBe('open');
    const back = new Promise((resolve) => link.once('reconnected', resolve));
    const successor = await remote!.answer(offer);
    await back;
    await works(link, successor);
    if (channel.readyState !== 'closed') await new Promise((resolve) => (channel.onclose = resolve));
  });

  test('are not expected of an agent that says it sends none, or that never sent any', async () => {
    const { link, channel } = await connected({ heartbeat: 10 });
    const problems: unknown[] = [];
    link.on('reconnecting', (step) => problems.push(step));
    channel.send(hello(0));
    // Ten of our own intervals.
    await new Promise<void>((resolve) => {
      let seen = 0;
      channel.onmessage = () => ++seen === 10 && resolve();
    });
    expect(problems).toEqual([]);
    expect(link.state).toBe('open');
  });
});
