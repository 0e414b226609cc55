import type { SignalingMessage } from './signaling';

/** Agents whose candidates are kept before their offer has come, and candidates of each. */
const MAX_AGENTS = 32;
const MAX_MESSAGES = 64;

/** Candidates that came before the offer they belong to: naive peers send them as soon as they have them. */
export class EarlyMessages {
  readonly #messages = new Map<string, SignalingMessage[]>();

  keep(remote: string, message: SignalingMessage): void {
    if (message.type !== 'ice-candidate') return;
    const messages = this.#messages.get(remote);
    if (messages) {
      if (messages.length < MAX_MESSAGES) messages.push(message);
      return;
    }
    if (this.#messages.size >= MAX_AGENTS) {
      // The oldest is the least likely to be waited for.
      const [oldest] = this.#messages.keys();
      if (oldest !== undefined) this.#messages.delete(oldest);
    }
    this.#messages.set(remote, [message]);
  }

  take(remote: string): SignalingMessage[] {
    const messages = this.#messages.get(remote) ?? [];
    this.#messages.delete(remote);
    return messages;
  }
}
