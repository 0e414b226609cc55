// `ossa-webrtc/ossa` against a peer that behaves on the wire as the public OSSA reference does.
import { RTCPeerConnection } from 'ossa-webrtc';

import { ReferencePeer, type ReferenceMessage } from '../fixtures/reference-peer';
import { channelsOpen, cleanup, newServer, next, ONE, transport, TWO } from './support';

/** Larger than a message may be, and with a surrogate pair at every edge of the reference's slices, for one of the shifts. */
const LARGE = ['', 'x', 'xy'].map((shift) => shift + '"\\😀'.repeat(30_000));

function partners(options: { heartbeat?: number; heartbeatInterval?: number; descriptions?: boolean } = {}) {
  const { heartbeat, heartbeatInterval, descriptions } = options;
  const server = newServer();
  const reference = new ReferencePeer({
    RTCPeerConnection,
    signaling: server.registerAgent(TWO),
    agentId: TWO,
    remoteAgentId: ONE,
    heartbeat,
    descriptions,
  });
  cleanup.push(() => reference.close());
  const rejected: unknown[] = [];
  reference.on('rejected', (error) => rejected.push(error));
  const ours = transport({ agentId: ONE, remoteAgentId: TWO, signaling: server.registerAgent(ONE), heartbeatInterval });
  return { ours, reference, rejected };
}

describe.each(['we offer', 'the reference offers', 'the reference offers with a description as an object'])(
  '%s',
  (role) => {
    async function connect(options: Parameters<typeof partners>[0] = {}) {
      const made = partners({ ...options, descriptions: role.endsWith('object') });
      const open = Promise.all([channelsOpen(made.ours), made.reference.open()]);
      await (role === 'we offer' ? made.ours.createOffer() : made.reference.offer());
      await open;
      return made;
    }
    const nextOf = (reference: ReferencePeer, type: string) =>
      new Promise<ReferenceMessage>((resolve) =>
        reference.on('message', (message: ReferenceMessage) => message.type === type && resolve(message)),
      );

    test('messages arrive both ways, on both channels', async () => {
      const { ours, reference, rejected } = await connect();
      for (const label of ['control', 'data']) {
        const [there, here] = [nextOf(reference, 'status'), next(ours)];
        await ours.send(label, 'status', { status: 'healthy' });
        reference.send(label, 'message', 'ü');
        expect(await there).toMatchObject({
          payload: { status: 'healthy' },
          metadata: { agentId: ONE, channelId: label },
        });
        expect(await here).toMatchObject({ payload: 'ü', metadata: { agentId: TWO, channelId: label } });
      }
      expect(rejected).toEqual([]);
    });

    test('calls are answered both ways', async () => {
      const { ours, reference } = await connect();
      reference.onCall = ({ capability, input }) => ({ capability, input });
      ours.on('capability_call', ({ payload, metadata }: ReferenceMessage) => {
        void ours.send('control', 'capability_response', [payload], { correlationId: metadata.correlationId });
      });
      expect(await ours.invokeCapability('sum', [1, 2])).toEqual({ capability: 'sum', input: [1, 2] });
      expect(await reference.call('sum', [3])).toEqual([{ capability: 'sum', input: [3] }]);
    });

    test('large messages with characters at every edge survive both ways', async () => {
      const { ours, reference } = await connect();
      for (const large of LARGE) {
        const pieces: string[] = [];
        reference.on('raw', (data: string) => pieces.push(data));
        const [there, here] = [nextOf(reference, 'message'), next(ours)];
        await ours.send('control', 'message', large);
        reference.send('control', 'message', large);
        expect((await there).payload).toBe(large);
        expect((await here).payload).toBe(large);
        // Ours are pieces of at most 16,384 bytes; those of the reference are up to three times as large.
        expect(pieces.length).toBeGreaterThan(10);
        expect(Math.max(...pieces.map((piece) => Buffer.byteLength(piece)))).toBeLessThanOrEqual(16_384);
        reference.removeAllListeners('raw');
      }
    });

    test('heartbeats go both ways', async () => {
      const { ours, reference } = await connect({ heartbeatInterval: 20, heartbeat: 20 });
      for (let beat = 0; beat < 2; beat++) {
        const { payload, metadata } = await nextOf(reference, 'heartbeat');
        expect(payload).toEqual({ timestamp: expect.stringMatching(/Z$/) as string });
        expect(metadata).toMatchObject({ agentId: ONE, channelId: 'control' });
      }
      // Ours are not disturbed by those that come in.
      const received = next(ours);
      reference.send('control', 'message', 'still there');
      expect((await received).payload).toBe('still there');
    });

    test('either side may begin anew', async () => {
      const { ours, reference, rejected } = await connect();
      reference.onCall = () => 'answered';
      for (const begin of [() => reference.offer(), () => ours.createOffer(), () => reference.offer()]) {
        const open = channelsOpen(ours);
        await begin();
        await open;
        await reference.open();
        expect(await ours.invokeCapability('any', 1)).toBe('answered');
      }
      expect(rejected).toEqual([]);
    });

    test('either side learns that the other has closed', async () => {
      const first = await connect();
      const closed = new Promise((resolve) => first.reference.on('closed', resolve));
      await first.ours.close();
      await closed;
      const second = await connect();
      const noticed = new Promise((resolve) => second.ours.on('channel:close', resolve));
      second.reference.close();
      await noticed;
    });
  },
);

test('when both offer at the same time our offer wins, if our URI sorts higher', async () => {
  const server = newServer();
  const [low, high] = ['agent://example.com/a', 'agent://example.com/z'];
  const reference = new ReferencePeer({
    ...{ RTCPeerConnection, signaling: server.registerAgent(low), agentId: low, remoteAgentId: high },
  });
  cleanup.push(() => reference.close());
  const ours = transport({ agentId: high, remoteAgentId: low, signaling: server.registerAgent(high) });
  const open = channelsOpen(ours);
  await Promise.all([ours.createOffer(), reference.offer()]);
  await Promise.all([open, reference.open()]);
  reference.onCall = () => 'answered';
  expect(await ours.invokeCapability('any', 1)).toBe('answered');
});
