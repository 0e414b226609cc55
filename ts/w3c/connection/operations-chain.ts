import { DOMException } from '../../platform';
import { thrown } from '../../webidl';
import { queueJob } from '../events';

/**
 * The operations chain of a connection: operations run one after the other, and once the connection is closed their
 * promises never settle (webrtc-pc 4.4.1.2, "chain an operation").
 */
export class OperationsChain {
  readonly #operations: (() => void)[] = [];
  readonly #isClosed: () => boolean;
  readonly #whenEmpty: () => void;

  /** `whenEmpty` is called each time the last operation has finished. */
  constructor(isClosed: () => boolean, whenEmpty: () => void) {
    this.#isClosed = isClosed;
    this.#whenEmpty = whenEmpty;
  }

  /** Number of operations, the running one included. */
  get length(): number {
    return this.#operations.length;
  }

  /** Runs an operation when its turn comes. An exception that it throws rejects the promise. */
  chain<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#isClosed()) return Promise.reject(closedError());
    return new Promise<T>((resolve, reject) => {
      const settle = (finish: () => void) => {
        if (this.#isClosed()) return;
        finish();
        // One promise job later, as the standard reacts to the settled promise.
        queueJob(() => this.#next());
      };
      this.#operations.push(() => {
        execute(operation).then(
          (value) => settle(() => resolve(value)),
          (error: Error) => settle(() => reject(error)),
        );
      });
      if (this.#operations.length === 1) this.#operations[0]?.();
    });
  }

  #next(): void {
    if (this.#isClosed()) return;
    this.#operations.shift();
    const following = this.#operations[0];
    if (following) return following();
    // Room for 17, which the first one has made.
    this.#operations.length = 0;
    this.#whenEmpty();
  }
}

function execute<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return operation();
  } catch (error) {
    return Promise.reject(thrown(error));
  }
}

/** The exception for any operation on a closed connection. */
export function closedError(): DOMException {
  return new DOMException('The connection is closed', 'InvalidStateError');
}
