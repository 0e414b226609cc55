import type { SignalingMessage } from '../../signaling';

/** Agents whose candidates are kept before their offer has come, and candidates of each. */
const MAX_AGENTS = 32;
const MAX_MESSAGES = 64;

/** Characters of JSON of one agent: honest candidates have some 200. All together: 2 MiB. */
const MAX_LENGTH = 32 * 1024;

/** Candidates that came before the offer they belong to: naive peers send them as soon as they have them. */
export class EarlyMessages {
  readonly #messages = new Map<string, { kept: SignalingMessage[]; length: number }>();

  keep(remote: string, message: SignalingMessage): void {
    if (message.type !== 'ice-candidate') return;
    const { length } = JSON.stringify(message);
    const early = this.#messages.get(remote);
    if (early) {
      if (early.kept.length >= MAX_MESSAGES || early.length + length > MAX_LENGTH) return;
      early.kept.push(message);
      early.length += length;
      return;
    }
    if (length > MAX_LENGTH) return;
    if (this.#messages.size >= MAX_AGENTS) {
      // The oldest is the least likely to be waited for.
      const [oldest] = this.#messages.keys();
      if (oldest !== undefined) this.#messages.delete(oldest);
    }
    this.#messages.set(remote, { kept: [message], length });
  }

  take(remote: string): SignalingMessage[] {
    const early = this.#messages.get(remote);
    this.#messages.delete(remote);
    return early?.kept ?? [];
  }
}
