// Keeps the messages of an agent in order while one of them is being verified.
import type { SignalingMessage } from '../../signaling';

/** Messages of one agent behind the one that is being verified: an offer's candidates come right after it. */
const MAX_BEHIND = 64;

/** Characters of all that wait: memory is bounded whatever the messages are. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** Runs `decide` for each message; those of one agent one after the other, those of different agents side by side. */
export class WaitingRoom {
  readonly #capacity: number;
  readonly #decide: (message: SignalingMessage) => void | Promise<void>;
  readonly #queues = new Map<string, SignalingMessage[]>();
  #characters = 0;
  #closed = false;

  /** `capacity`: agents with a message that is being verified. */
  constructor(capacity: number, decide: (message: SignalingMessage) => void | Promise<void>) {
    this.#capacity = capacity;
    this.#decide = decide;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Takes a message. At its bounds it is dropped, as the network might have done. */
  enter(remote: string, message: SignalingMessage): void {
    if (this.#closed) return;
    const queue = this.#queues.get(remote);
    if (queue) {
      const size = sizeOf(message);
      if (queue.length >= MAX_BEHIND || this.#characters + size > MAX_CHARACTERS) return;
      this.#characters += size;
      queue.push(message);
      return;
    }
    const description = message.type === 'offer' || message.type === 'answer';
    if (description && this.#queues.size >= this.#capacity) return;
    const decision = this.#decide(message);
    if (decision) void this.#follow(remote, decision);
  }

  /** Drops everything. */
  close(): void {
    this.#closed = true;
    this.#queues.clear();
  }

  async #follow(remote: string, decision: Promise<void>): Promise<void> {
    const queue: SignalingMessage[] = [];
    this.#queues.set(remote, queue);
    await decision;
    for (let message; !this.#closed && (message = queue.shift());) {
      this.#characters -= sizeOf(message);
      await this.#decide(message);
    }
    this.#queues.delete(remote);
  }
}

function sizeOf({ sdp, candidate, auth }: SignalingMessage): number {
  const text = typeof sdp === 'string' ? sdp : (sdp?.sdp ?? '');
  const proof = auth ? JSON.stringify(auth).length : 0;
  return text.length + (candidate?.candidate?.length ?? 0) + proof + 256;
}
