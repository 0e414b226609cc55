// The specification's own code against our agents: what passes between them, whoever offers.
import { createPeer, createSignalingServer, generateAgentKeys } from 'ossa-webrtc';
import type { AgentMessage, AgentPeer, Link, PeerOptions, SignalingServer } from 'ossa-webrtc';

import { startSpecAgent, type SpecDriver } from './drivers';

const OURS = 'agent://example.com/ours';
const NAIVE = 'agent://example.com/naive';

/** The JSON of these is longer than a chunk, grows when it is escaped, and has a surrogate pair at every edge for one shift. */
const LARGE = ['', 'x', 'xy'].map((shift) => shift + '"\\😀ü'.repeat(15_000));

/** A browser starts slowly while other tests keep the machine busy. */
const PATIENCE = 60_000;

export function describeNaive(where: Parameters<typeof startSpecAgent>[0]): void {
  let naive: SpecDriver;
  let server: SignalingServer;
  let ours: AgentPeer;

  beforeAll(async () => {
    naive = await startSpecAgent(where);
  }, PATIENCE);
  afterAll(() => naive?.stop());
  beforeEach(async () => {
    server = await createSignalingServer();
  });
  afterEach(async () => {
    await naive.call('close');
    await ours.close();
    await server.close();
  });

  async function start(options: Partial<PeerOptions> = {}, theirs: object = {}): Promise<void> {
    ours = createPeer({ agentId: OURS, signaling: server.url, ...options });
    ours.handle('shout', (text: string) => text.toUpperCase());
    await ours.ready;
    await naive.call('start', { url: server.url, agentId: NAIVE, remoteAgentId: OURS, ...theirs });
  }

  /** The next messages of a link. */
  async function take(link: Link, count: number): Promise<AgentMessage[]> {
    const taken: AgentMessage[] = [];
    for await (const message of link) if (taken.push(message) === count) break;
    return taken;
  }

  describe.each(['it offers', 'we offer'])('%s', (role) => {
    async function connect(options: Partial<PeerOptions> = {}, theirs: object = {}): Promise<Link> {
      await start(options, theirs);
      if (role === 'we offer') {
        const link = await ours.connect(NAIVE);
        await naive.call('open');
        return link;
      }
      const incoming = new Promise<Link>((resolve) => ours.once('link', resolve));
      await naive.call('connect');
      return await incoming;
    }

    test('messages and states arrive in both directions, and bare heartbeats disturb nobody', async () => {
      const link = await connect({}, { heartbeat: 10 });
      const problems: unknown[] = [];
      link.on('problem', (problem) => problems.push(problem));
      await naive.call('send', { text: 'from the specification, ü 😀' });
      await naive.call('sendState', { cursor: 7 });
      const [message, state] = await take(link, 2);
      expect(message).toMatchObject({ type: 'message', payload: 'from the specification, ü 😀', from: NAIVE });
      expect(state).toMatchObject({ type: 'state_update', payload: { cursor: 7 } });
      await link.send({ text: 'to the specification, ü 😀' });
      await link.send({ status: 'healthy' }, { type: 'status' });
      expect(await nextOf(['message', 'status'])).toMatchObject({
        payload: { text: 'to the specification, ü 😀' },
        metadata: { agentId: OURS },
      });
      expect(await nextOf(['message', 'status'])).toMatchObject({ type: 'status', payload: { status: 'healthy' } });
      expect(problems).toEqual([]);
    });

    test('calls are answered in both directions, many at a time', async () => {
      const link = await connect();
      expect(await naive.call('call', { capability: 'shout', input: 'hi' })).toEqual({
        type: 'capability_response',
        payload: 'HI',
      });
      expect(await naive.call('call', { capability: 'nothing' })).toMatchObject({
        type: 'error',
        payload: { code: 'CAPABILITY_NOT_FOUND' },
      });
      const inputs = Array.from({ length: 100 }, (_, input) => input);
      const answers = await Promise.all(inputs.map((input) => link.call('any', input)));
      expect(answers).toEqual(inputs.map((echo) => ({ echo })));
    });

    test('tokens of the specification are verified by both sides, and prove nothing to ours', async () => {
      const link = await connect({ auth: { keys: await generateAgentKeys(), mode: 'spec-literal' } }, { sign: true });
      expect(link.remote).toMatchObject({ agentId: NAIVE, authenticated: false, how: 'self-asserted' });
      expect(await link.call('any', 1)).toEqual({ echo: 1 });
    });

    test('large messages arrive whole, characters at the edges of chunks included', async () => {
      const link = await connect({}, { reliable: true });
      for (const text of LARGE) {
        await naive.call('send', { text });
        const [message] = await take(link, 1);
        expect(message!.payload).toBe(text);
        await link.send(text);
        expect((await nextOf(['message'])).payload).toBe(text);
        expect(await link.call('any', text)).toEqual({ echo: text });
      }
    });

    test('nothing large is sent through a channel that may lose chunks', async () => {
      const link = await connect();
      if (role === 'we offer') await link.send(LARGE[0]);
      // That of the specification gives up after three retries; we do not gamble.
      else await expect(link.send(LARGE[0])).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    });

    test('it sends at full speed with its backpressure, and nothing is lost', async () => {
      // With three retries a machine that is busy for some seconds is enough to lose a message.
      const link = await connect({}, { reliable: true });
      await naive.call('sendAll', { text: 'number', count: 150, size: 14_000 });
      const payloads = (await take(link, 150)).map(({ payload }) => (payload as string).replace(/\.+$/, '').trim());
      expect(payloads).toEqual(Array.from({ length: 150 }, (_, i) => `number ${i}`));
    });

    test('bytes arrive in both directions', async () => {
      const link = await connect();
      const bytes = Array.from({ length: 1024 }, (_, i) => i % 256);
      await naive.call('sendBinary', { bytes });
      const [message] = await take(link, 1);
      expect([...new Uint8Array(message!.payload as ArrayBuffer)]).toEqual(bytes);
      await link.send(new Uint8Array(bytes));
      expect(await nextOf(['binary'])).toMatchObject({ payload: bytes });
    });

    test('either side may end it', async () => {
      const link = await connect({ reconnect: false });
      await naive.call('close');
      await link.closed;
      await ours.close();
      const second = await connect({ reconnect: false });
      await second.close();
      expect(await nextOf(['closed'])).toEqual({ type: 'closed' });
    });
  });

  test('its allowlist refuses us, and we learn why', async () => {
    await start({}, { allowed: ['agent://example.com/agent-1', 'agent://example.com/agent-2'] });
    await expect(ours.connect(NAIVE)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  /** The next message of one of these types that the agent of the specification has processed. */
  async function nextOf(types: string[]): Promise<{ type: string; payload?: unknown; metadata?: object }> {
    for (;;) {
      const message = await naive.call<{ type: string }>('next');
      if (types.includes(message.type)) return message;
    }
  }
}
