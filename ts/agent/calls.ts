// Requests and responses over one link.
import type { binding } from '../native/loader';
import { AgentError, errorFromJson, messageOf, nativeAgentCall } from './errors';
import { cancelled } from './options';
import type { CallContext, CapabilityHandler } from './types';

type Session = InstanceType<typeof binding.AgentSession>;

interface Pending {
  resolve: (result: unknown) => void;
  reject: (error: AgentError) => void;
}

/** What {@link Calls} need of their link. */
export interface CallsHost {
  readonly session: Session;
  /** Whether a message can be sent without waiting. */
  hasRoom(): boolean;
  /** Waits for room, then sends what `compose` makes at that moment. */
  transmit(compose: () => string, signal?: AbortSignal): Promise<void>;
  handler(capability: string): CapabilityHandler | undefined;
  context(capability: string, id: string, signal: AbortSignal): CallContext;
  /** An answer could not be sent. */
  problem(error: AgentError): void;
}

/** JSON of a value as it travels; `undefined`, which JSON does not have, becomes `null`. */
export function toJson(value: unknown, what: string): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    throw new AgentError('INVALID_MESSAGE', `${what} cannot be written as JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** The calls of a link, in both directions. */
export class Calls {
  readonly #host: CallsHost;
  readonly #pending = new Map<string, Pending>();
  readonly #active = new Map<string, AbortController>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;

  constructor(host: CallsHost) {
    this.#host = host;
  }

  async call(capability: string, input: unknown, timeout: number, signal?: AbortSignal): Promise<unknown> {
    const what = `the call of "${capability}"`;
    if (signal?.aborted) throw cancelled(signal, what);
    const json = toJson(input, 'the input of the call');
    const { session } = this.#host;
    const started = performance.now();
    let id: string | undefined;
    // Waiting for room is part of the time that the caller grants.
    const patience = this.#host.hasRoom() ? signal : anyOf(AbortSignal.timeout(timeout), signal);
    try {
      await this.#host.transmit(() => {
        const left = Math.max(1, timeout - (performance.now() - started));
        const composed = nativeAgentCall(() => session.call(capability, json, left, {}));
        id = composed.id;
        return composed.text;
      }, patience);
    } catch (error) {
      if (id !== undefined) session.cancel(id);
      if (patience?.aborted && !signal?.aborted) throw timedOut(what);
      throw error;
    }
    if (signal?.aborted) {
      session.cancel(id!);
      throw cancelled(signal, what);
    }
    return await new Promise((resolve, reject) => {
      const call = id!;
      const abort = () => {
        session.cancel(call);
        settle(call)?.reject(cancelled(signal!, what));
      };
      const settle = (name: string) => {
        const pending = this.#pending.get(name);
        this.#pending.delete(name);
        return pending;
      };
      const end = () => signal?.removeEventListener('abort', abort);
      this.#pending.set(call, {
        resolve: (result) => (end(), resolve(result)),
        reject: (error) => (end(), reject(error)),
      });
      signal?.addEventListener('abort', abort, { once: true });
      this.#arm();
    });
  }

  /** The other side has answered. */
  responded(call: string, result: unknown): void {
    this.#take(call)?.resolve(result);
  }

  /** The other side has refused. */
  failed(call: string, json: string): void {
    this.#take(call)?.reject(errorFromJson(json));
  }

  /** The other side calls. */
  answer(call: string, capability: string, input: unknown): void {
    this.#answer(call, capability, input).catch((error: unknown) => {
      const text = `the answer to a call of "${capability}" was not sent: ${messageOf(error)}`;
      this.#host.problem(new AgentError('CAPABILITY_FAILED', text, { cause: error }));
    });
  }

  async #answer(call: string, capability: string, input: unknown): Promise<void> {
    const { session } = this.#host;
    const handler = this.#host.handler(capability);
    const controller = new AbortController();
    this.#active.set(call, controller);
    let compose: () => string;
    try {
      if (!handler) throw new AgentError('CAPABILITY_NOT_FOUND', `this agent has no capability "${capability}"`);
      const result = await handler(input as never, this.#host.context(capability, call, controller.signal));
      const json = toJson(result, `the result of "${capability}"`);
      compose = () => session.respond(call, json);
    } catch (error) {
      compose = this.#failure(call, error);
    }
    if (controller.signal.aborted) return;
    try {
      await this.#host.transmit(() => {
        try {
          return nativeAgentCall(compose);
        } catch (error) {
          // The result is too large: the caller has to learn that.
          return nativeAgentCall(this.#failure(call, error));
        }
      });
    } finally {
      this.#active.delete(call);
    }
  }

  /** No answers come any more, and none are wanted. */
  close(error: AgentError): void {
    clearTimeout(this.#timer);
    for (const call of this.#host.session.close()) this.#take(call)?.reject(error);
    for (const controller of this.#active.values()) controller.abort(error);
    this.#active.clear();
  }

  #failure(call: string, error: unknown): () => string {
    const { code, message, details, retryable } =
      error instanceof AgentError ? error : new AgentError('CAPABILITY_FAILED', messageOf(error));
    const json = details === undefined ? undefined : toJson(details, 'the details of the error');
    return () => this.#host.session.fail(call, code, message, json, retryable);
  }

  #take(call: string): Pending | undefined {
    const pending = this.#pending.get(call);
    this.#pending.delete(call);
    if (this.#pending.size === 0) this.#disarm();
    return pending;
  }

  /** One timer for the nearest deadline of all calls. */
  #arm(): void {
    const wait = this.#host.session.nextTimeout();
    if (wait == null) return this.#disarm();
    const at = performance.now() + wait;
    if (this.#timer && at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        for (const call of this.#host.session.expire()) this.#take(call)?.reject(timedOut('the call'));
        this.#arm();
      },
      Math.min(Math.ceil(wait), 2 ** 31 - 1),
    );
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }
}

function anyOf(first: AbortSignal, second: AbortSignal | undefined): AbortSignal {
  return second ? AbortSignal.any([first, second]) : first;
}

function timedOut(what: string): AgentError {
  return new AgentError('TASK_TIMEOUT', `${what} was not answered in time`, { retryable: true });
}
