// Messages of a room that come before its list names their sender.
import { clearTimeout, setTimeout } from '../../platform';
import type { AgentMessage, MessageSink } from '../messages';

/**
 * How long such messages are kept, in milliseconds: over a link that is there already they may be faster than the signaling
 * service, by more if that is just being reached again.
 */
const LIFETIME = 10_000;

interface Kept {
  message: AgentMessage;
  bytes: number;
  /** Where it goes if its sender turns out not to be a member. */
  otherwise: MessageSink;
}

/**
 * See above. What one sender has sent is kept together and in order, until the room takes it or {@link LIFETIME} is over; then
 * it goes where messages of agents outside of the room go.
 */
export class EarlyRoomMessages {
  readonly #limits: { readonly items: number; readonly bytes: number };
  readonly #lost: (message: AgentMessage) => void;
  readonly #senders = new Map<string, { kept: Kept[]; timer: NodeJS.Timeout }>();
  #items = 0;
  #bytes = 0;

  /** `limits` are for all senders together; `lost` hears of messages that nobody had room for in the end. */
  constructor(limits: { items: number; bytes: number }, lost: (message: AgentMessage) => void) {
    this.#limits = limits;
    this.#lost = lost;
  }

  /** Keeps a message. False: there is no room, nothing was kept. */
  keep(message: AgentMessage, bytes: number, otherwise: MessageSink): boolean {
    if (this.#items >= this.#limits.items || this.#bytes + bytes > this.#limits.bytes) return false;
    this.#items++;
    this.#bytes += bytes;
    const { from } = message;
    let sender = this.#senders.get(from);
    if (!sender) {
      sender = { kept: [], timer: setTimeout(() => this.#expire(from), LIFETIME) };
      // What nobody may ever read is no reason to stay alive.
      sender.timer.unref();
      this.#senders.set(from, sender);
    }
    sender.kept.push({ message, bytes, otherwise });
    return true;
  }

  /** The sender is a member: hands its messages over, in order. */
  release(from: string, inbox: MessageSink): void {
    for (const { message, bytes } of this.#take(from)) if (!inbox.push(message, bytes)) this.#lost(message);
  }

  /** The room is closed: they were for nobody else. */
  close(): void {
    for (const from of [...this.#senders.keys()]) this.#take(from);
  }

  #expire(from: string): void {
    for (const { message, bytes, otherwise } of this.#take(from)) {
      if (!otherwise.push(message, bytes)) this.#lost(message);
    }
  }

  #take(from: string): Kept[] {
    const sender = this.#senders.get(from);
    if (!sender) return [];
    clearTimeout(sender.timer);
    this.#senders.delete(from);
    this.#items -= sender.kept.length;
    for (const { bytes } of sender.kept) this.#bytes -= bytes;
    return sender.kept;
  }
}
