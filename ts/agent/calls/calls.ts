// Calls over one link: those that this side makes, and where those of the other side are answered.
import { clearTimeout, setTimeout } from '../../platform';
import {
  AgentError,
  cancelled,
  checkMembers,
  checkMilliseconds,
  checkName,
  checkSignal,
  errorFromJson,
  messageOf,
  nativeAgentCall,
  onAbort,
  toJson,
} from '../../base';
import type { binding } from '../../native';
import { checkPriority } from '../channels';
import { checkTtl, type AgentMessage } from '../messages';
import { traced, type TraceContext } from '../tracing';
import { Answers, type AnswersHost } from './answers';
import type { CallingLink } from './registry';
import { ResultStream } from './stream';
import { CallTimer } from './timer';
import type { CallOptions } from './types';

type Session = InstanceType<typeof binding.AgentSession>;
type Received = ReturnType<Session['details']>;

/** Default time for the answer to a call, in milliseconds. */
const CALL_TIMEOUT = 30_000;

/** Up to this many characters a message is sent at once if there is room; a larger one may go in parts. */
const SMALL = 4096;

/** What the result of a call goes to. */
interface Pending {
  /** How urgent its messages are; a cancellation must not overtake what it cancels. */
  readonly priority: CallOptions['priority'];
  /** Takes back what has not been sent yet: nobody waits for an answer to it. */
  withdraw?: (() => void) | undefined;
  result(value: unknown): void;
  item(value: unknown): void;
  end(): void;
  fail(error: AgentError): void;
}

/** What {@link Calls} need of their link. */
export interface CallsHost<Link extends CallingLink> extends AnswersHost<Link> {
  /** Acts if the other side understands `capability_cancel`: as soon as that is known, which is soon or never. */
  ifCancels(action: () => void): void;
}

/** Options of a call, checked. */
export interface CheckedCallOptions {
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  readonly priority: CallOptions['priority'];
  readonly ttl: number | undefined;
}

/** @throws TypeError - Something is wrong with a call. */
export function checkCall(capability: string, options: CallOptions): CheckedCallOptions {
  checkName(capability, 'capability');
  checkMembers(options, 'the options of call', ['timeout', 'signal', 'priority', 'ttl']);
  return {
    timeout: checkMilliseconds(options.timeout ?? CALL_TIMEOUT, 'timeout'),
    signal: checkSignal(options.signal, 'signal'),
    priority: checkPriority(options.priority, 'priority'),
    ttl: checkTtl(options.ttl, 'ttl'),
  };
}

/** The calls of a link, in both directions. */
export class Calls<Link extends CallingLink> {
  readonly #host: CallsHost<Link>;
  readonly #pending = new Map<string, Pending>();
  readonly #answers: Answers<Link>;
  readonly #timer: CallTimer;

  constructor(host: CallsHost<Link>) {
    this.#host = host;
    this.#timer = new CallTimer(
      () => this.#expire(),
      () => host.session.nextCallTimeout(),
    );
    this.#answers = new Answers(host, this.#timer);
  }

  /** Calls of this side that wait for an answer or for more of it, and calls of the other side that run or wait here. */
  get counts(): { pending: number; active: number } {
    return { pending: this.#host.session.pendingCalls(), active: this.#host.session.activeCalls() };
  }

  /** See `Link.call`. */
  call(capability: string, input: unknown, options: CheckedCallOptions): Promise<unknown> {
    const { link, tracing } = this.#host;
    if (!tracing) return this.#call(capability, input, options, undefined);
    const work = tracing.calling(link.remote.agentId, capability);
    return traced(work, this.#call(capability, input, options, work.context));
  }

  #call(
    capability: string,
    input: unknown,
    options: CheckedCallOptions,
    context: TraceContext | undefined,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { signal, priority } = options;
      let end: (() => void) | undefined;
      const pending: Pending = {
        priority,
        result: (value) => (end?.(), resolve(value)),
        fail: (error) => (end?.(), reject(error)),
        // The session lets no items through to a call that did not ask for them.
        item: () => undefined,
        end: () => undefined,
      };
      const made = (call: string) => {
        end = this.#giveUpWhen(signal, call, capability, reject);
        return pending;
      };
      this.#make(capability, input, options, { stream: false, context }, made).catch((error: AgentError) =>
        pending.fail(error),
      );
    });
  }

  /** See `Link.callStream`. */
  callStream<Item>(capability: string, input: unknown, options: CheckedCallOptions): ResultStream<Item> {
    return new ResultStream((stream) => this.feed(stream, capability, input, options));
  }

  /** Makes the call whose result goes to `stream`. */
  async feed<Item>(
    stream: ResultStream<Item>,
    capability: string,
    input: unknown,
    options: CheckedCallOptions,
  ): Promise<void> {
    const { signal, priority } = options;
    const { link, tracing } = this.#host;
    const work = tracing?.calling(link.remote.agentId, capability);
    if (work) stream.watch((items, error) => (work.items(items), work.end(error)));
    await this.#make(capability, input, options, { stream: true, context: work?.context }, (call) => {
      // While the call waited for room.
      if (stream.over) throw new AgentError('TASK_CANCELLED', `the call of "${capability}" was given up`);
      const end = this.#giveUpWhen(signal, call, capability, (error) => stream.fail(error)) ?? (() => undefined);
      stream.attach({ read: () => this.#read(call, priority), cancel: () => (end(), this.#giveUp(call)) });
      return {
        priority,
        // Whoever answers once gives one item.
        result: (value) => (end(), stream.item(value as Item), stream.end()),
        item: (value) => stream.item(value as Item),
        end: () => (end(), stream.end()),
        fail: (error) => (end(), stream.fail(error)),
      };
    });
  }

  /** Something about a call has been received. */
  received({ kind, call, capability, wrapped, error, reply }: Received, message: Partial<AgentMessage>): void {
    const { payload } = message;
    if (reply !== undefined) this.#send(() => reply);
    switch (kind) {
      case 'call':
        this.#answers.answer(call!, capability!, message);
        break;
      case 'cancel':
        this.#answers.cancel(call!, new AgentError('TASK_CANCELLED', 'the caller has cancelled the call'));
        break;
      case 'room':
        this.#answers.room(call!);
        break;
      case 'response':
        this.#take(call!)?.result(wrapped ? (payload as { result: unknown }).result : payload);
        break;
      case 'item':
        this.#pending.get(call!)?.item(payload);
        break;
      case 'end':
        this.#take(call!)?.end();
        break;
      case 'failure':
      case 'broken':
        this.#take(call!)?.fail(errorFromJson(error!));
        break;
    }
  }

  /**
   * The connection is gone, another one may come: calls that wait are rejected, since nobody knows what became of them,
   * and handlers are stopped, since nobody gets their results. Nothing is repeated.
   */
  lost(error: AgentError): void {
    this.#timer.stop();
    for (const call of this.#host.session.dropCalls()) this.#take(call)?.fail(error);
    this.#answers.stop(error);
  }

  /** No answers come any more, and none are wanted. */
  close(error: AgentError): void {
    this.lost(error);
    this.#host.session.close();
  }

  /** Composes and sends a call as soon as there is room. `made` is told its name at that moment. */
  async #make(
    capability: string,
    input: unknown,
    { timeout, signal, priority, ttl }: CheckedCallOptions,
    { stream, context }: { stream: boolean; context: TraceContext | undefined },
    made: (call: string) => Pending,
  ): Promise<void> {
    const what = `the call of "${capability}"`;
    if (signal?.aborted) throw cancelled(signal, what);
    const json = toJson(input, 'the input of the call');
    const { session } = this.#host;
    const started = performance.now();
    // Waiting for room is part of the time that the caller grants.
    const limit = Math.min(timeout, ttl === undefined ? Infinity : ttl * 1000);
    const atOnce = json.length <= SMALL && this.#host.hasRoom();
    const patience = atOnce ? undefined : new Patience(limit, signal);
    let call: string | undefined;
    try {
      await this.#host.transmit(
        () => {
          const waited = performance.now() - started;
          if (waited > limit) throw overdue(what, timeout, ttl);
          const left = Math.max(1, timeout - waited);
          const about = { priority, ttl, ...context };
          const composed = nativeAgentCall(() => session.call(capability, json, stream, left, about));
          call = composed.id;
          const pending = made(call);
          // From now on its own deadline counts, which ends the sending as well.
          pending.withdraw = patience && (() => patience.abort());
          patience?.end();
          this.#pending.set(call, pending);
          this.#timer.by(left);
          return composed.text;
        },
        patience?.signal,
        priority,
      );
    } catch (error) {
      if (call !== undefined) {
        this.#take(call);
        session.cancel(call);
      }
      if (signal?.aborted) throw cancelled(signal, what);
      if (patience?.signal.aborted) throw overdue(what, timeout, ttl);
      throw error;
    } finally {
      patience?.end();
    }
  }

  #giveUpWhen(
    signal: AbortSignal | undefined,
    call: string,
    capability: string,
    fail: (error: AgentError) => void,
  ): (() => void) | undefined {
    if (!signal) return undefined;
    return onAbort(signal, () => {
      this.#giveUp(call);
      fail(cancelled(signal, `the call of "${capability}"`));
    });
  }

  /** Forgets a call, and tells the other side if that can be. */
  #giveUp(call: string): void {
    const pending = this.#take(call);
    if (pending && this.#host.session.cancel(call)) this.#tellCancelled(call, pending);
  }

  #tellCancelled(call: string, { priority }: Pending): void {
    this.#host.ifCancels(() => this.#send(() => this.#host.session.cancellation(call), priority));
  }

  #read(call: string, priority: CallOptions['priority']): void {
    const { session } = this.#host;
    const text = nativeAgentCall(() => session.readItem(call));
    if (text !== null) this.#send(() => text, priority);
    const wait = session.nextCallTimeout();
    if (wait !== null) this.#timer.by(wait);
  }

  /** Sends what nobody waits for. */
  #send(compose: () => string, priority?: CallOptions['priority']): void {
    this.#host
      .transmit(() => nativeAgentCall(compose), undefined, priority)
      .catch((error: unknown) => {
        // Without a link there is nobody to tell; a lost one has ended the calls anyhow.
        if (error instanceof AgentError && error.code === 'AGENT_UNREACHABLE') return;
        const text = `a message about a call was not sent: ${messageOf(error)}`;
        this.#host.problem(new AgentError('PROTOCOL_ERROR', text, { cause: error }));
      });
  }

  #expire(): void {
    const { calls, handlers } = this.#host.session.expireCalls();
    for (const call of calls) {
      const pending = this.#take(call);
      pending?.fail(timedOut('the call'));
      if (pending) this.#tellCancelled(call, pending);
    }
    for (const { call, reply } of handlers) {
      if (reply !== undefined) this.#send(() => reply);
      this.#answers.cancel(call, timedOut('the call'));
    }
  }

  #take(call: string): Pending | undefined {
    const pending = this.#pending.get(call);
    this.#pending.delete(call);
    pending?.withdraw?.();
    if (this.#pending.size === 0 && this.#answers.size === 0) this.#timer.stop();
    return pending;
  }
}

/**
 * A signal that fires after a time, or with another one. Not `AbortSignal.any`: what that makes stays in memory as long as
 * the other signal does, in some versions of Node.
 */
class Patience {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #forget: (() => void) | undefined;

  constructor(milliseconds: number, signal: AbortSignal | undefined) {
    this.#timer = setTimeout(() => this.#controller.abort(), Math.min(Math.ceil(milliseconds), 2 ** 31 - 1));
    this.#forget = signal && onAbort(signal, () => this.#controller.abort(signal.reason));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(): void {
    this.#controller.abort();
  }

  /** Fires for nobody but {@link abort} any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#forget?.();
  }
}

function timedOut(what: string): AgentError {
  return new AgentError('TASK_TIMEOUT', `${what} was not answered in time`, { retryable: true });
}

/** The call has not even been sent. */
function overdue(what: string, timeout: number, ttl: number | undefined): AgentError {
  if (ttl === undefined || timeout <= ttl * 1000) return timedOut(what);
  return new AgentError('MESSAGE_EXPIRED', `${what} could not be sent within its ttl of ${ttl} s`);
}
