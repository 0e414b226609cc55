import { queueTask } from '../events';
import type { OperationsChain } from './operations-chain';

/** What the flag has to know of its connection. */
export interface NegotiationHost {
  isClosed(): boolean;
  isStable(): boolean;
  /** "Check if negotiation is needed". */
  check(): boolean;
  fire(): void;
}

/** The negotiation-needed flag and the timing of its event (webrtc-pc 4.7.3). */
export class NegotiationNeeded {
  readonly #host: NegotiationHost;
  #needed = false;
  #updateOnEmptyChain = false;

  constructor(host: NegotiationHost) {
    this.#host = host;
  }

  /** Signaling has become stable: whatever is needed now is needed anew. */
  clear(): void {
    this.#needed = false;
  }

  /** "Update the negotiation-needed flag". */
  update(chain: OperationsChain): void {
    if (chain.length > 0) {
      this.#updateOnEmptyChain = true;
      return;
    }
    queueTask(() => {
      if (this.#host.isClosed()) return;
      if (chain.length > 0) {
        this.#updateOnEmptyChain = true;
        return;
      }
      if (!this.#host.isStable()) return;
      const before = this.#needed;
      this.#needed = this.#host.check();
      if (this.#needed && !before) this.#host.fire();
    });
  }

  /** The operations chain has become empty. */
  chainEmptied(chain: OperationsChain): void {
    if (!this.#updateOnEmptyChain) return;
    this.#updateOnEmptyChain = false;
    this.update(chain);
  }
}
