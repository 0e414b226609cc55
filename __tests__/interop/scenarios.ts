// What every pair of stacks has to show, whoever offers. Each scenario starts from two new connections.
import { type ChannelView, type End, type Link, type Order } from './link';

export interface Scenario {
  /** The key of this scenario in the table of exceptions. */
  readonly key: string;
  /** The outcome that it asserts. */
  readonly outcome: string;
  run(link: Link): Promise<void>;
}

const KiB = 1024;
const unicode = [
  'plain',
  'ümlaut, ñ, ß',
  '漢字 かな 한국어',
  '👩‍👩‍👧‍👦 🏳️‍🌈',
  'zero \u0000 byte',
  '\u{10FFFF}\uFFFD\u200D',
  ' \t\r\n ',
];

export const reliabilities = {
  reliable: {},
  unordered: { ordered: false },
  'three tries': { ordered: false, maxRetransmits: 3 },
  'no retransmission': { ordered: true, maxRetransmits: 0 },
  'a second and a half': { ordered: false, maxPacketLifeTime: 1500 },
};

/** Runs a check in both directions. */
async function bothWays(link: Link, check: (from: End, to: End) => Promise<void>): Promise<void> {
  await check(link.offerer, link.answerer);
  await check(link.answerer, link.offerer);
}

async function arrivesAsSent(link: Link, label: string, messages: Order[]): Promise<void> {
  await bothWays(link, async (from, to) => {
    const { sent, received } = await link.transfer(from, to, label, messages);
    expect(received).toEqual(sent);
  });
}

/** Opens one more channel from an end of a live connection. */
export async function addChannel(from: End, to: End, label: string, init: object = {}): Promise<ChannelView[]> {
  await from.createChannel(label, init);
  return Promise.all([from.waitOpen(label), to.waitOpen(label)]);
}

/** What both sides must agree on, without what one side's API cannot show. */
function shared(view: ChannelView, other: ChannelView): Partial<ChannelView> {
  const { label, protocol, ordered, maxRetransmits, maxPacketLifeTime } = view;
  const fields = { label, protocol, ordered, maxRetransmits, maxPacketLifeTime };
  const visible = Object.entries(fields).filter(([name]) => other[name as keyof ChannelView] !== undefined);
  return Object.fromEntries(visible);
}

/** A channel made by one end looks the same at the other one, and works. */
async function isTheSameOnBothSides(link: Link, from: End, to: End, label: string, init: object): Promise<void> {
  const [own, other] = (await addChannel(from, to, label, init)) as [ChannelView, ChannelView];
  expect(shared(own, own)).toMatchObject({ label, ...init });
  expect(shared(other, other)).toEqual(shared(own, other));
  await arrivesAsSent(link, label, [{ kind: 'string', text: 'hello' }]);
}

/** ICE restart started by one end while messages flow both ways. */
async function restart(link: Link, from: End, to: End): Promise<void> {
  await link.connect();
  const before = [from.ufrag, to.ufrag];
  const stream: Order[] = Array.from({ length: 200 }, (_, seed) => ({ kind: 'binary', size: 1000, seed: seed + 1 }));
  const [there, back] = await Promise.all([
    link.transfer(from, to, 'first', stream),
    link.transfer(to, from, 'first', stream),
    link.negotiate(from, to, true),
  ]);
  for (const { sent, received } of [there, back]) expect(received).toEqual(sent);
  expect(from.ufrag).not.toBe(before[0]);
  expect(to.ufrag).not.toBe(before[1]);
  // Past the switch to the new candidates.
  await arrivesAsSent(link, 'first', stream);
}

async function closes(link: Link, from: End, to: End): Promise<void> {
  await link.connect();
  await addChannel(link.offerer, link.answerer, 'stays');
  await from.closeChannel('first');
  await Promise.all([from.waitClosed('first'), to.waitClosed('first')]);
  await arrivesAsSent(link, 'stays', [{ kind: 'string', text: 'still here' }]);
}

export const scenarios: readonly Scenario[] = [
  {
    key: 'open',
    outcome: 'a channel made before the offer opens on both sides, with data both ways',
    async run(link) {
      await link.connect('hello');
      await arrivesAsSent(link, 'hello', [{ kind: 'string', text: 'hello' }]);
    },
  },
  {
    key: 'answerer-opens',
    outcome: 'a channel made by the answerer once connected opens on both sides',
    async run(link) {
      await link.connect();
      const [own, incoming] = await addChannel(link.answerer, link.offerer, 'from the answerer');
      expect([own?.incoming, incoming?.incoming]).toEqual([false, true]);
      await arrivesAsSent(link, 'from the answerer', [{ kind: 'string', text: 'hello' }]);
    },
  },
  {
    key: 'strings',
    outcome: 'strings arrive as they were sent, unicode included',
    async run(link) {
      await link.connect();
      await arrivesAsSent(
        link,
        'first',
        unicode.map((text) => ({ kind: 'string', text })),
      );
    },
  },
  {
    key: 'binary',
    outcome: 'binary messages arrive byte for byte and stay apart from strings',
    async run(link) {
      await link.connect();
      await arrivesAsSent(link, 'first', [
        { kind: 'binary', size: 256, seed: 1 },
        { kind: 'string', size: 256, seed: 1 },
        { kind: 'binary', size: 5000, seed: 2 },
      ]);
    },
  },
  {
    key: 'empty',
    outcome: 'empty strings and empty binary messages arrive, each as its kind',
    async run(link) {
      await link.connect();
      await arrivesAsSent(link, 'first', [
        { kind: 'string', text: '' },
        { kind: 'binary', size: 0 },
        { kind: 'string', text: 'last' },
      ]);
    },
  },
  {
    key: 'sizes',
    outcome: "messages from 1 byte to 256 KiB, or the receiver's limit, arrive whole and in order",
    async run(link) {
      await link.connect();
      await bothWays(link, async (from, to) => {
        const limit = Math.min(from.maxMessageSize, to.maxMessageSize, 256 * KiB);
        const edges = [
          1,
          2,
          1000,
          1191,
          1200,
          16 * KiB - 1,
          16 * KiB,
          16 * KiB + 1,
          64 * KiB - 1,
          64 * KiB,
          64 * KiB + 1,
        ];
        const sizes = [...edges, limit - 1, limit].filter((size) => size <= limit);
        const messages: Order[] = sizes.map((size, seed) => ({ kind: 'binary', size, seed: seed + 1 }));
        const { sent, received } = await link.transfer(from, to, 'first', messages);
        expect(received).toEqual(sent);
      });
    },
  },
  {
    key: 'ordered',
    outcome: 'an ordered channel keeps the order of 500 messages of mixed sizes',
    async run(link) {
      await link.connect();
      const messages: Order[] = Array.from({ length: 500 }, (_, i) => ({
        kind: 'binary',
        size: 1 + ((i * 379) % 3000),
        seed: i + 1,
      }));
      const { sent, received } = await link.transfer(link.offerer, link.answerer, 'first', messages);
      expect(received).toEqual(sent);
    },
  },
  {
    key: 'unordered',
    outcome: 'an unordered channel delivers every message once',
    async run(link) {
      await link.connect('loose', { ordered: false });
      const messages: Order[] = Array.from({ length: 500 }, (_, i) => ({
        kind: 'binary',
        size: 1 + ((i * 379) % 3000),
        seed: i + 1,
      }));
      await bothWays(link, async (from, to) => {
        const { sent, received } = await link.transfer(from, to, 'loose', messages);
        const digests = (list: { digest: string }[]) => list.map(({ digest }) => digest).sort();
        expect(digests(received)).toEqual(digests(sent));
      });
    },
  },
  {
    key: 'labels',
    outcome: 'label and protocol of a channel are the same on the other side, unicode included',
    async run(link) {
      await link.connect();
      await bothWays(link, async (from, to) => {
        for (const [name, protocol] of Object.entries({ plain: 'ossa/1', 'läbel ✓ 🎉': 'prötocol 漢字', empty: '' })) {
          await isTheSameOnBothSides(link, from, to, `${name} of ${from.pc}`, { protocol });
        }
      });
    },
  },
  {
    key: 'options',
    outcome: 'order and reliability of a channel are the same on the other side',
    async run(link) {
      await link.connect();
      await bothWays(link, async (from, to) => {
        for (const [name, init] of Object.entries(reliabilities)) {
          await isTheSameOnBothSides(link, from, to, `${name} of ${from.pc}`, init);
        }
      });
    },
  },
  {
    key: 'negotiated',
    outcome: 'negotiated channels open with their ids on both sides and announce nothing',
    async run(link) {
      for (const end of [link.offerer, link.answerer]) {
        await end.createChannel('zero', { negotiated: true, id: 0 });
        await end.createChannel('high', { negotiated: true, id: 400, ordered: false });
      }
      await link.negotiate();
      for (const [label, id] of Object.entries({ zero: 0, high: 400 })) {
        const views = await Promise.all([link.offerer.waitOpen(label), link.answerer.waitOpen(label)]);
        expect(views.map(({ incoming }) => incoming)).toEqual([false, false]);
        for (const view of views) expect(view.id ?? id).toBe(id);
        await arrivesAsSent(link, label, [{ kind: 'string', text: 'hello' }]);
      }
    },
  },
  {
    key: 'close-by-offerer',
    outcome: 'a channel that the offerer closes is closed on both sides, and the others go on',
    run: (link) => closes(link, link.offerer, link.answerer),
  },
  {
    key: 'close-by-answerer',
    outcome: 'a channel that the answerer closes is closed on both sides, and the others go on',
    run: (link) => closes(link, link.answerer, link.offerer),
  },
  {
    key: 'reopen',
    outcome: 'channels opened after a close, on stream ids used before, carry data',
    async run(link) {
      await link.connect();
      for (const label of ['one', 'two', 'three']) {
        await addChannel(link.offerer, link.answerer, label);
        await arrivesAsSent(link, label, [{ kind: 'string', text: label }]);
        await link.offerer.closeChannel(label);
        await Promise.all([link.offerer.waitClosed(label), link.answerer.waitClosed(label)]);
      }
    },
  },
  {
    key: 'hundred',
    outcome: '100 channels, half made before and half after connecting, all carry data',
    async run(link) {
      const labels = Array.from({ length: 100 }, (_, i) => `channel ${i}`);
      for (const label of labels.slice(0, 50)) await link.offerer.createChannel(label);
      await link.negotiate();
      await link.offerer.waitOpen('channel 0');
      for (const label of labels.slice(50)) await link.offerer.createChannel(label);
      await Promise.all(labels.flatMap((label) => [link.offerer.waitOpen(label), link.answerer.waitOpen(label)]));
      await Promise.all(labels.map((text) => arrivesAsSent(link, text, [{ kind: 'string', text }])));
    },
  },
  {
    key: 'restart-by-offerer',
    outcome: 'data goes on through an ICE restart that the offerer starts',
    run: (link) => restart(link, link.offerer, link.answerer),
  },
  {
    key: 'restart-by-answerer',
    outcome: 'data goes on through an ICE restart that the answerer starts',
    run: (link) => restart(link, link.answerer, link.offerer),
  },
  {
    key: 'peer-closed-by-offerer',
    outcome: "the offerer's closing of the connection closes the channel on the other side",
    async run(link) {
      await link.connect();
      await link.offerer.close();
      await link.answerer.waitClosed('first');
    },
  },
  {
    key: 'peer-closed-by-answerer',
    outcome: "the answerer's closing of the connection closes the channel on the other side",
    async run(link) {
      await link.connect();
      await link.answerer.close();
      await link.offerer.waitClosed('first');
    },
  },
];
