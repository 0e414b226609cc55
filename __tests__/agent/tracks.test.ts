// Sound over links, with real connections: what one agent plays is what the other hears, beside everything else that goes over the link.
import { AgentError, createPeer, MediaStream, MemorySignaling, PCMSink } from 'ossa-webrtc';
import type { AgentPeer, Link, PeerOptions, ReceivedTrack, SignalingAdapter } from 'ossa-webrtc';

import { toneTrack } from '../media/callers';
import { amplitude, samplesOf } from '../media/tones';
import { LossyPath } from './lossy-path';

const QUICK: Partial<PeerOptions> = {
  transport: { ice: { maxRto: 100, disconnectedTimeout: 500, failedTimeout: 60_000 } },
  reconnect: { grace: 50, delay: 100, attemptTimeout: 60_000 },
};
const RATE = 16_000;

const open: AgentPeer[] = [];
let path: LossyPath;
let adapter: SignalingAdapter;

beforeEach(() => {
  path = new LossyPath();
  adapter = path.over(new MemorySignaling());
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
  path.close();
});

function agent(name: string, options: Partial<PeerOptions> = {}): AgentPeer {
  const peer = createPeer({ agentId: `agent://${name}`, signaling: adapter, ...QUICK, ...options });
  open.push(peer);
  return peer;
}

async function pair(options: Partial<PeerOptions> = {}) {
  const [a, b] = [agent('a', options), agent('b', options)];
  await b.ready;
  const [ab, ba] = await Promise.all([a.connect('agent://b'), next<Link>(b, 'link')]);
  return { a, b, ab, ba };
}

function next<T>(emitter: { once(name: never, listener: (value: never) => void): unknown }, name: string): Promise<T> {
  return new Promise((resolve) => emitter.once(name as never, resolve));
}

/** Resolves when a new connection is made because an ICE restart did not help. */
function rebuilding(link: Link): Promise<void> {
  return new Promise((resolve) => {
    link.on('reconnecting', ({ how }) => how === 'rebuild' && resolve());
  });
}

/** Resolves when the track gives a tone and not another one, for 200 ms. */
async function heard({ track }: Pick<ReceivedTrack, 'track'>, frequency: number, not: number): Promise<void> {
  const window: Uint8Array[] = [];
  for await (const chunk of new PCMSink(track, { sampleRate: RATE })) {
    window.push(chunk);
    if (window.length > 20) window.shift();
    const samples = samplesOf(window);
    const loud = amplitude(samples, frequency, RATE);
    if (window.length === 20 && loud > 0.35 && amplitude(samples, not, RATE) < loud / 10) return;
  }
  throw new Error('the track has ended');
}

describe('tracks of a link', () => {
  test('carry sound both ways, in their streams, while calls go on', async () => {
    const { b, ab, ba } = await pair();
    b.handle('double', (input: never) => Number(input) * 2);
    const stream = new MediaStream();
    const coming = next<ReceivedTrack>(ba, 'track');
    ab.addTrack(toneTrack(440), stream);
    const question = await coming;
    expect(question.streams.map(({ id }) => id)).toEqual([stream.id]);
    const back = next<ReceivedTrack>(ab, 'track');
    ba.addTrack(toneTrack(1000));
    await Promise.all([heard(question, 440, 1000), heard(await back, 1000, 440)]);
    expect(await ab.call('double', 21)).toBe(42);
    expect(ab.connection.getTransceivers()).toHaveLength(1);
  });

  test('that are added before the link is open come with it, and wait for a listener', async () => {
    const [a, b] = [agent('a'), agent('b')];
    await b.ready;
    b.on('link', (link) => link.addTrack(toneTrack(700)));
    const ab = await a.connect('agent://b');
    await ab.send('hello');
    await heard(await next<ReceivedTrack>(ab, 'track'), 700, 440);
  });

  test('can be replaced without a word to the other side, and removed', async () => {
    const { ab, ba } = await pair();
    const sent = ab.addTrack(toneTrack(440));
    const received = await next<ReceivedTrack>(ba, 'track');
    await heard(received, 440, 1000);
    await sent.replaceTrack(toneTrack(1000));
    await heard(received, 1000, 440);
    const muted = new Promise((resolve) => (received.track.onmute = resolve));
    sent.remove();
    await muted;
    expect(sent.sender).toBeNull();
    await expect(sent.replaceTrack(null)).rejects.toMatchObject({ name: 'InvalidStateError' });
  });

  test('come back with the next connection when that of the link is lost', async () => {
    const { ab, ba } = await pair({ reconnect: { grace: 20, delay: 50, attemptTimeout: 2000, attempts: 1000 } });
    const stream = new MediaStream();
    const sent = ab.addTrack(toneTrack(440), stream);
    const first = await next<ReceivedTrack>(ba, 'track');
    await heard(first, 440, 1000);
    const { sender } = sent;
    const again = next<ReceivedTrack>(ba, 'track');
    path.lose();
    await rebuilding(ab);
    path.cut = false;
    const second = await again;
    expect(second.streams.map(({ id }) => id)).toEqual([stream.id]);
    await heard(second, 440, 1000);
    expect(sent.sender).not.toBe(sender);
  });

  test('that nobody takes are refused beyond the limit, and the link is told', async () => {
    const { ab, ba } = await pair({ limits: { unreadTracks: 1 } });
    const problem = next<Error>(ba, 'problem');
    ab.addTrack(toneTrack(440));
    ab.addTrack(toneTrack(700));
    expect((await problem).message).toMatch(/1 tracks of agent:\/\/a wait/);
    await heard(await next<ReceivedTrack>(ba, 'track'), 440, 700);
  });

  test('are refused by a link that is closed', async () => {
    const { ab } = await pair();
    await ab.close();
    expect(() => ab.addTrack(toneTrack(440))).toThrow(AgentError);
  });
});
