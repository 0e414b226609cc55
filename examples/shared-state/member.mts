// One of the agents that share a state, and the channel to it.
import type { AgentChannel, Link } from 'ossa-webrtc';

/** What a member needs of the shared state. */
export interface MemberHost {
  /** Something has come. @throws - It was not understood. */
  received(message: unknown): void;
  problem(error: Error): void;
  /** Milliseconds to wait before a channel that could not be opened is tried again. */
  readonly retryAfter: number;
}

/** A channel with so many bytes in its buffer gets no further changes: they would be old when they leave. */
const STALE = 64 * 1024;

/** See above. */
export class Member {
  readonly link: Link;
  /** A comparison is under way. */
  comparing = false;
  /** The last comparison. */
  compared: Promise<void> = Promise.resolve();
  readonly #label: string;
  readonly #host: MemberHost;
  #channel: AgentChannel | undefined;
  #closed = false;

  constructor(link: Link, label: string, host: MemberHost) {
    this.link = link;
    this.#label = label;
    this.#host = host;
    link.on('channel', this.#announced);
    void this.#keepChannel();
  }

  /** Sends a change, if that can be done at once. What is lost, or left out, the next comparison brings. */
  send(message: string): void {
    const channel = this.#channel;
    if (channel?.state === 'open' && channel.bufferedAmount < STALE) channel.trySend(message);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.link.off('channel', this.#announced);
    await this.#channel?.close();
  }

  /** A channel for the changes of this side, and another one when the link has got another connection. */
  async #keepChannel(): Promise<void> {
    while (!this.#closed && this.link.state !== 'closed') {
      try {
        // Waits while the link reconnects.
        const channel = await this.link.createChannel(this.#label, { ordered: false, maxRetransmits: 0 });
        this.#channel = channel;
        if (this.#closed) return await channel.close();
        // The other side may answer through it.
        this.#announced(channel);
        await channel.closed;
      } catch (error) {
        this.#host.problem(error as Error);
      }
      await new Promise((resolve) => setTimeout(resolve, this.#host.retryAfter).unref());
    }
  }

  readonly #announced = (channel: AgentChannel): void => {
    if (channel.label !== this.#label) return;
    channel.on('message', (data) => {
      if (this.#closed) return;
      try {
        if (typeof data !== 'string') throw new TypeError('a change is text');
        this.#host.received(JSON.parse(data));
      } catch (error) {
        this.#host.problem(error as Error);
      }
    });
  };
}
