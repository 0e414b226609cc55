// What an agent can do for others: handlers by capability, and how each of them is run.
import { checkFunction, checkInteger, checkMembers, checkName } from '../../base';
import { Gate } from './gate';
import type { FailAs, HandleOptions } from './types';

/** Calls that may wait for a handler with a limited concurrency. */
const QUEUE = 1024;

/** The link that calls come over, as far as they know it. */
export interface CallingLink {
  readonly remote: { readonly agentId: string };
}

/** What the handler of a call is told; `CallContext` is what users see of it. */
export interface HandledCall<Link extends CallingLink> {
  readonly from: string;
  readonly link: Link;
  readonly capability: string;
  readonly id: string;
  readonly metadata: { agentId: string; [name: string]: unknown };
  readonly signal: AbortSignal;
}

type Handler<Link extends CallingLink> = (input: never, call: HandledCall<Link>) => unknown;

/** A handler and the way it is run. */
export interface Capability<Link extends CallingLink> {
  readonly handler: Handler<Link>;
  /** Limits it across all links; absent where nothing was said. */
  readonly gate: Gate | undefined;
  /** Overrides what the peer does. */
  readonly failAs: FailAs | undefined;
}

/** `'error'`, `'response'`, or nothing. */
export function checkFailAs(value: unknown, what: string): FailAs | undefined {
  if (value === undefined || value === 'error' || value === 'response') return value;
  throw new TypeError(`${what} must be "error" or "response", not ${JSON.stringify(value)}`);
}

/** The handlers of a peer. */
export class CallRegistry<Link extends CallingLink> {
  readonly #capabilities = new Map<string, Capability<Link>>();

  /** The handler of a capability. */
  get(capability: string): Capability<Link> | undefined {
    return this.#capabilities.get(capability);
  }

  /** The names of what has a handler. */
  get names(): string[] {
    return [...this.#capabilities.keys()];
  }

  /** Adds a handler; the function that is returned takes it back. @throws TypeError - It has one, or options are wrong. */
  add(capability: string, handler: Handler<Link>, options: HandleOptions = {}): () => void {
    checkName(capability, 'capability');
    checkFunction(handler, 'handler');
    checkMembers(options, 'the options of handle', ['concurrency', 'queue', 'failAs']);
    const { concurrency, queue } = options;
    if (concurrency !== undefined) checkInteger(concurrency, 'concurrency', 1, 2 ** 31);
    if (queue !== undefined) checkInteger(queue, 'queue', 0, 2 ** 31);
    if (queue !== undefined && concurrency === undefined) {
      throw new TypeError('queue has a meaning only together with concurrency: without it nothing waits');
    }
    const failAs = checkFailAs(options.failAs, 'failAs');
    if (this.#capabilities.has(capability)) {
      throw new TypeError(`the capability "${capability}" has a handler already`);
    }
    const gate = concurrency === undefined ? undefined : new Gate(`"${capability}"`, concurrency, queue ?? QUEUE);
    const added: Capability<Link> = { handler, gate, failAs };
    this.#capabilities.set(capability, added);
    return () => {
      if (this.#capabilities.get(capability) === added) this.#capabilities.delete(capability);
    };
  }
}
