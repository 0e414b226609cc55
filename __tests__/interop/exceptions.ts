// What a stack cannot do by itself, whoever its peer is. Each row is tested: when the stack learns it, its test fails and the row goes.
import type { End, Link, Order } from './link';
import { addChannel, reliabilities } from './scenarios';

export interface Exception {
  readonly reason: string;
  /** Shows the limitation on a new link. `theirs` runs the foreign stack. */
  show(link: Link, theirs: End, ours: End): Promise<void>;
}

/** Long enough to be sure on loopback that something does not come. */
const PATIENCE_MS = 2000;

async function neverComes(promise: Promise<unknown>): Promise<void> {
  const waited = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, 'nothing').unref());
  expect(await Promise.race([promise.catch(() => 'nothing'), waited])).toBe('nothing');
}

const keepsItsCredentials: Exception = {
  reason: 'it cannot restart ICE: an offer has the old credentials, and one with new credentials is refused',
  async show(link, theirs, ours) {
    await link.connect();
    const before = theirs.ufrag;
    expect(
      await theirs.createOffer(true).then(
        () => theirs.ufrag,
        () => before,
      ),
    ).toBe(before);
    await expect(ours.createOffer(true).then((offer) => theirs.acceptOffer(offer))).rejects.toThrow();
  },
};

const leavesSilently: Exception = {
  reason: 'it says nothing when it closes a connection: the other side learns it from ICE, tens of seconds later',
  async show(link, theirs, ours) {
    await link.connect();
    await theirs.close();
    await neverComes(ours.waitClosed('first'));
  },
};

/**
 * When werift's gathering is over before the answer comes, its ICE state is `completed` and stays so: it sends no checks, and nothing is ever
 * nominated. Two ends of werift show it with each other as well. Which comes first is a matter of luck, so only the negotiation is judged.
 */
const mayForgetToCheck: Exception = {
  reason: 'it may send no connectivity checks after an ICE restart of its own',
  async show(link, theirs, ours) {
    await link.connect();
    const before = [theirs.ufrag, ours.ufrag];
    await link.negotiate(theirs, ours, true);
    expect(theirs.ufrag).not.toBe(before[0]);
    expect(ours.ufrag).not.toBe(before[1]);
  },
};

const empties: Order[] = [
  { kind: 'string', text: '' },
  { kind: 'binary', size: 0 },
];

/** Stack, then scenario or `scenario@role`, where the role is that of the foreign stack. */
export const exceptions: Record<string, Record<string, Exception>> = {
  'node-datachannel': {
    'restart-by-offerer': keepsItsCredentials,
    'restart-by-answerer': keepsItsCredentials,
  },
  werift: {
    empty: {
      reason: 'it receives empty messages but cannot send them',
      async show(link, theirs, ours) {
        await link.connect();
        const { sent, received } = await link.transfer(ours, theirs, 'first', empties);
        expect(received).toEqual(sent);
        await neverComes(link.transfer(theirs, ours, 'first', empties));
      },
    },
    labels: {
      reason: 'it cuts labels and protocols that are not ASCII',
      async show(link, theirs, ours) {
        await link.connect();
        await theirs.createChannel('läbel ✓ 🎉');
        await neverComes(ours.waitOpen('läbel ✓ 🎉'));
      },
    },
    options: {
      reason: 'it announces its own unordered channels of limited reliability as ordered',
      async show(link, theirs, ours) {
        await link.connect();
        for (const [label, init] of Object.entries(reliabilities)) {
          const [own, other] = await addChannel(ours, theirs, label, init);
          expect(other).toMatchObject({ ...own, incoming: true });
        }
        const [, announced] = await addChannel(theirs, ours, 'theirs', { ordered: false, maxRetransmits: 3 });
        expect(announced).toMatchObject({ ordered: true, maxRetransmits: 3 });
      },
    },
    'restart-by-offerer@offerer': mayForgetToCheck,
    'restart-by-answerer@answerer': mayForgetToCheck,
    'peer-closed-by-answerer@answerer': leavesSilently,
    'peer-closed-by-offerer@offerer': leavesSilently,
  },
  'webrtc-rs': {
    options: {
      reason: 'it does not show the reliability of channels that the other side has made',
      async show(link, theirs, ours) {
        await link.connect();
        for (const [label, init] of Object.entries(reliabilities)) {
          const [own, other] = await addChannel(theirs, ours, label, init);
          expect(other).toMatchObject({ ...own, incoming: true });
        }
        const [, shown] = await addChannel(ours, theirs, 'ours', { ordered: false, maxRetransmits: 3 });
        expect(shown).toMatchObject({ ordered: false, maxRetransmits: null });
      },
    },
  },
};

export function exceptionFor(stack: string, key: string, role: string): Exception | undefined {
  const rows = exceptions[stack] ?? {};
  return rows[key] ?? rows[`${key}@${role}`];
}
