// What every pair of stacks has to show of voice, whoever offers: a tone that is sent is the tone that is heard.
import type { End, Link } from '../link';

export interface VoiceScenario {
  /** The key of this scenario in the table of exceptions. */
  readonly key: string;
  /** The outcome that it asserts. */
  readonly outcome: string;
  run(link: Link, ours: End, theirs: End): Promise<void>;
}

/** Of full scale, as `interop/media-driver.cjs` sends it. */
const LEVEL = 0.25;
/** Far enough from each other, and none a multiple of another one. */
export const OURS = 440;
export const THEIRS = 700;
const OURS_LATER = 1150;
const THEIRS_LATER = 1700;

type Codec = 'opus' | 'PCMU' | 'PCMA';

/** Adds a track that is this tone; the tone goes by its frequency. */
export async function addTone(end: End, frequency: number, codec?: Codec): Promise<void> {
  await end.call('addTone', { name: frequency, frequency, codec });
}

/** A tone that is heard at an end, as it was sent. */
export async function hears(end: End, frequency: number, index = 0): Promise<void> {
  const heard = await end.call<{ frequency: number; level: number }>('heard', { index, frequency });
  expect(heard.frequency).toBeGreaterThan(frequency * 0.99);
  expect(heard.frequency).toBeLessThan(frequency * 1.01);
  expect(heard.level).toBeGreaterThan(LEVEL * 0.8);
  expect(heard.level).toBeLessThan(LEVEL * 1.2);
}

export async function hearEachOther(ours: End, theirs: End): Promise<void> {
  await Promise.all([hears(ours, THEIRS), hears(theirs, OURS)]);
}

export async function hearsNothing(end: End, index = 0): Promise<void> {
  await end.call('silent', { index });
}

export async function direct(end: End, direction: string, index = 0): Promise<void> {
  await end.call('direct', { index, direction });
}

/** Both ends have a tone to send, in a codec of our choice. */
async function addTones(ours: End, theirs: End, codec: Codec): Promise<void> {
  await addTone(ours, OURS, codec);
  await addTone(theirs, THEIRS);
}

export async function talk(link: Link, ours: End, theirs: End, codec: Codec = 'opus'): Promise<void> {
  await addTones(ours, theirs, codec);
  await link.negotiate();
  await hearEachOther(ours, theirs);
}

/** The codec that the answer prefers. */
function codecOf(sdp: string): string | undefined {
  const payload = /^m=audio \d+ \S+ (\d+)/m.exec(sdp)?.[1];
  return new RegExp(`^a=rtpmap:${payload} ([^/]+)`, 'm').exec(sdp)?.[1];
}

export async function dataArrives(link: Link): Promise<void> {
  const order = { kind: 'binary', size: 5_000, seed: 1 } as const;
  for (const [from, to] of [
    [link.offerer, link.answerer],
    [link.answerer, link.offerer],
  ] as const) {
    const { sent, received } = await link.transfer(from, to, 'first', [order]);
    expect(received).toEqual(sent);
  }
}

export const voiceScenarios: readonly VoiceScenario[] = [
  {
    key: 'opus',
    outcome: 'Opus both ways, and data that is added to it',
    async run(link, ours, theirs) {
      await talk(link, ours, theirs, 'opus');
      expect(codecOf(link.answerer.sdp)).toBe('opus');
      await link.connect();
      await dataArrives(link);
      await hearEachOther(ours, theirs);
    },
  },
  {
    key: 'pcmu',
    outcome: 'PCMU both ways, added to data by the answerer of before',
    async run(link, ours, theirs) {
      await link.connect();
      await addTones(ours, theirs, 'PCMU');
      await link.negotiate(link.answerer, link.offerer);
      expect(codecOf(link.offerer.sdp)).toBe('PCMU');
      await hearEachOther(ours, theirs);
      await dataArrives(link);
    },
  },
  {
    key: 'pcma',
    outcome: 'PCMA both ways, negotiated together with data',
    async run(link, ours, theirs) {
      await addTones(ours, theirs, 'PCMA');
      await link.connect();
      expect(codecOf(link.answerer.sdp)).toBe('PCMA');
      await hearEachOther(ours, theirs);
      await dataArrives(link);
    },
  },
  {
    key: 'hold',
    outcome: 'a call that either side holds is silent where it says so, and goes on when it is resumed',
    async run(link, ours, theirs) {
      await talk(link, ours, theirs);
      await direct(ours, 'inactive');
      await link.negotiate(ours, theirs);
      await Promise.all([hearsNothing(ours), hearsNothing(theirs)]);
      await direct(ours, 'sendrecv');
      await link.negotiate(ours, theirs);
      await hearEachOther(ours, theirs);
      await direct(theirs, 'recvonly');
      await link.negotiate(theirs, ours);
      await Promise.all([hearsNothing(ours), hears(theirs, OURS)]);
      await direct(theirs, 'sendrecv');
      await link.negotiate(theirs, ours);
      await hearEachOther(ours, theirs);
    },
  },
  {
    key: 'tracks',
    outcome: 'tracks are added and removed in the middle of a call, by both sides',
    async run(link, ours, theirs) {
      await talk(link, ours, theirs);
      await addTone(theirs, THEIRS_LATER);
      await link.negotiate(theirs, ours);
      await Promise.all([hears(ours, THEIRS), hears(ours, THEIRS_LATER, 1), hears(theirs, OURS)]);
      await ours.call('removeTone', { name: OURS });
      await link.negotiate(ours, theirs);
      await Promise.all([hears(ours, THEIRS), hears(ours, THEIRS_LATER, 1), hearsNothing(theirs)]);
      await addTone(ours, OURS_LATER);
      await link.negotiate(ours, theirs);
      await Promise.all([hears(ours, THEIRS), hears(ours, THEIRS_LATER, 1), hears(theirs, OURS_LATER, 1)]);
    },
  },
  {
    key: 'restart',
    outcome: 'a call goes on through ICE restarts by either side',
    async run(link, ours, theirs) {
      await talk(link, ours, theirs);
      for (const [from, to] of [
        [ours, theirs],
        [theirs, ours],
      ] as const) {
        const before = [from.ufrag, to.ufrag];
        await link.negotiate(from, to, true);
        expect([from.ufrag, to.ufrag]).not.toEqual(before);
        await hearEachOther(ours, theirs);
      }
    },
  },
];
