// Our agents against a peer that behaves on the wire as the public OSSA reference class does.
import { EventEmitter } from 'node:events';

import { createPeer, RTCPeerConnection } from 'ossa-webrtc';
import type { AgentMessage, AgentPeer, Link, PeerOptions, SignalingAdapter, SignalingMessage } from 'ossa-webrtc';
import { InMemorySignalingServer } from 'ossa-webrtc/ossa';

import { ReferencePeer, type ReferenceMessage } from '../fixtures/reference-peer';

const OURS = 'agent://example.com/ours';
const REFERENCE = 'agent://example.com/reference';

/** The JSON of these is longer than a chunk, grows when it is escaped, and has a surrogate pair at every edge for one shift. */
const LARGE = ['', 'x', 'xy'].map((shift) => shift + '"\\😀ü'.repeat(15_000));

let server: InMemorySignalingServer;
let ours: AgentPeer;
let reference: ReferencePeer;

beforeEach(() => {
  server = new InMemorySignalingServer();
});
afterEach(async () => {
  reference.close();
  await ours.close();
  server.clear();
});

/** What docs/ossa.md shows: an emitter as signaling for `createPeer`. */
function overEmitter(emitter: EventEmitter): SignalingAdapter {
  return {
    send: (message) => void emitter.emit('message', message),
    subscribe: (agentId, deliver) => {
      const listener = (message: SignalingMessage) => {
        if (message.to === agentId) deliver(message);
      };
      emitter.on('message', listener);
      return () => void emitter.off('message', listener);
    },
  };
}

describe.each([
  ['the reference offers', false],
  ['the reference offers a description as an object', true],
  ['we offer', false],
] as const)('%s', (role, descriptions) => {
  async function connect(options: Partial<PeerOptions> = {}): Promise<Link> {
    ours = createPeer({
      agentId: OURS,
      signaling: overEmitter(server.registerAgent(OURS)),
      channels: 'reference',
      failAs: 'response',
      ...options,
    });
    ours.handle('double', (input: number) => input * 2);
    await ours.ready;
    const signaling = server.registerAgent(REFERENCE);
    reference = new ReferencePeer({
      ...{ RTCPeerConnection, signaling, agentId: REFERENCE, remoteAgentId: OURS },
      ...{ descriptions, heartbeat: 20 },
    });
    reference.onCall = ({ capability, input }) => ({ capability, input });
    if (role === 'we offer') {
      const link = await ours.connect(REFERENCE);
      await reference.open();
      return link;
    }
    const incoming = new Promise<Link>((resolve) => ours.once('link', resolve));
    await Promise.all([reference.offer(), reference.open()]);
    return await incoming;
  }

  const heard = (type: string) =>
    new Promise<ReferenceMessage>((resolve) =>
      reference.on('message', (message: ReferenceMessage) => message.type === type && resolve(message)),
    );
  const next = (link: Link) => new Promise<AgentMessage>((resolve) => link.once('message', resolve));

  test('messages, calls and failures pass in both directions', async () => {
    const link = await connect();
    const problems: unknown[] = [];
    link.on('problem', (problem) => problems.push(problem));
    const there = heard('message');
    await link.send({ text: 'ü 😀' });
    expect(await there).toMatchObject({ payload: { text: 'ü 😀' }, metadata: { agentId: OURS, channelId: 'control' } });
    for (const label of ['control', 'data']) {
      const here = next(link);
      reference.send(label, 'message', `over ${label}`);
      expect(await here).toMatchObject({ payload: `over ${label}`, from: REFERENCE });
    }
    expect(await link.call('any', [1])).toEqual({ capability: 'any', input: [1] });
    expect(await reference.call('double', 21)).toBe(42);
    // The reference knows no errors: it would wait for ever without this answer.
    expect(await reference.call('missing')).toMatchObject({ error: { code: 'CAPABILITY_NOT_FOUND' } });
    expect(problems).toEqual([]);
  });

  test('large messages arrive whole in both directions, in chunks of at most 16,384 bytes from us', async () => {
    const link = await connect();
    const sizes: number[] = [];
    reference.on('raw', (data: string) => sizes.push(Buffer.byteLength(data)));
    for (const text of LARGE) {
      const [here, there] = [next(link), heard('message')];
      reference.send('control', 'message', text);
      expect((await here).payload).toBe(text);
      await link.send(text);
      expect((await there).payload).toBe(text);
      expect(await link.call('any', text)).toEqual({ capability: 'any', input: text });
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(16_384);
  });

  test('heartbeats pass in both directions and disturb nobody', async () => {
    const link = await connect({ heartbeat: 20 });
    for (let beat = 0; beat < 3; beat++) expect((await heard('heartbeat')).metadata.agentId).toBe(OURS);
    const here = next(link);
    reference.send('control', 'message', 'after them');
    expect((await here).payload).toBe('after them');
    expect(link.state).toBe('open');
  });

  test('either side may end it', async () => {
    const link = await connect({ reconnect: false });
    const closed = new Promise((resolve) => reference.on('closed', resolve));
    await link.close();
    await closed;
    reference.close();
    await ours.close();
    server.clear();
    const second = await connect({ reconnect: false });
    reference.close();
    await second.closed;
  });
});
