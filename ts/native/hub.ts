// What the peers of this JavaScript thread share: the native meeting place, the queues and the account of who keeps
// the process alive.
import { binding } from './loader';
import { Inbox, type Recipient } from './inbox';
import { Outbox } from './outbox';

/** The native meeting place of this thread. */
export const hub = new binding.Hub(isNode());

/** Bun and Deno have functions with the names of libuv's, and end the process when one is called. */
function isNode(): boolean {
  return process.versions['bun'] === undefined && process.versions['deno'] === undefined;
}

/** Weak: a peer that nobody holds any more is garbage, and is closed then. */
const recipients = new Map<number, WeakRef<Recipient>>();

/** The peers that keep the process alive. */
const holders = new Set<number>();

export const inbox = new Inbox(hub, (peer) => recipients.get(peer)?.deref());
export const outbox = new Outbox(hub, () => inbox.schedule());

const forgotten = new FinalizationRegistry<number>((peer) => {
  recipients.delete(peer);
  hold(peer, false);
});

/** From now on records of this peer are delivered to `recipient`. */
export function attach(peer: number, recipient: Recipient): void {
  recipients.set(peer, new WeakRef(recipient));
  forgotten.register(recipient, peer, recipient);
}

/** Nothing is delivered to this peer any more, and it does not keep the process alive. */
export function detach(peer: number, recipient: Recipient): void {
  recipients.delete(peer);
  forgotten.unregister(recipient);
  hold(peer, false);
}

/** Whether this peer keeps the process alive. */
export function hold(peer: number, alive: boolean): void {
  const before = holders.size;
  if (alive) holders.add(peer);
  else holders.delete(peer);
  if ((before === 0) !== (holders.size === 0)) hub.setRef(alive);
}
