import { clearTimeout, setTimeout } from '../platform';
import { AgentError } from '../base';

interface Pending {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/** Calls of a transport that wait for their answers. */
export class PendingCalls {
  readonly #pending = new Map<string, Pending>();

  /** Sends a call and waits for its answer, for `timeout` milliseconds at most. Leaves nothing behind. */
  async make(id: string, timeout: number, send: () => Promise<void>): Promise<unknown> {
    try {
      return await new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('Capability call timeout')), timeout);
        this.#pending.set(id, { resolve, reject, timer });
        send().catch(reject);
      });
    } finally {
      clearTimeout(this.#pending.get(id)?.timer);
      this.#pending.delete(id);
    }
  }

  /** Whether one of our calls has this id. */
  has(id: unknown): boolean {
    return this.#pending.has(id as string);
  }

  /** The other side has answered. */
  answered(id: unknown, result: unknown): void {
    this.#pending.get(id as string)?.resolve(result);
  }

  /** The other side has refused, with the payload of an `error` message. */
  refused(id: unknown, payload: unknown): void {
    const { code, message, details, retryable } = (payload ?? {}) as Record<string, unknown>;
    const text = typeof message === 'string' ? message : 'the call was refused';
    const error = new AgentError(typeof code === 'string' ? code : 'INTERNAL_ERROR', text, {
      details,
      retryable: retryable === true,
    });
    this.#pending.get(id as string)?.reject(error);
  }

  /** No answers come any more. */
  failAll(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
  }
}
