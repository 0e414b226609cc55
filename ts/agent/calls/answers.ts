// Calls of the other side: their handlers, the turns they wait for, and what becomes of their results.
import { AgentError, messageOf, nativeAgentCall, toJson } from '../../base';
import type { binding } from '../../native';
import type { ResolvedLimits } from '../limits';
import type { AgentMessage, SendOptions } from '../messages';
import type { AgentTracing, TracedAnswer } from '../tracing';
import { Gate } from './gate';
import type { CallingLink, Capability, HandledCall } from './registry';
import type { CallTimer } from './timer';
import type { FailAs } from './types';

type Session = InstanceType<typeof binding.AgentSession>;

/** A streamed result for a caller who takes it whole: so many items, and so much JSON, at most. */
const WHOLE_RESULT = { items: 65_536, characters: 16 * 1024 * 1024 };

/** Up to this many characters an answer is sent at once if there is room; a larger one may go in parts. */
const SMALL = 4096;

/** What {@link Answers} need of their link. */
export interface AnswersHost<Link extends CallingLink> {
  readonly session: Session;
  readonly link: Link;
  readonly limits: ResolvedLimits;
  /** Watches the calls, both ways. */
  readonly tracing: AgentTracing | undefined;
  /** What a failure travels as unless the handler says otherwise. */
  readonly failAs: FailAs;
  /** Whether a message can be sent without waiting. */
  hasRoom(): boolean;
  /** Waits for room, then sends what `compose` makes at that moment. */
  transmit(compose: () => string, signal?: AbortSignal, priority?: SendOptions['priority']): Promise<void>;
  capability(name: string): Capability<Link> | undefined;
  /** An answer could not be sent. */
  problem(error: AgentError): void;
}

/** One call of the other side. What its handler sees of it is {@link HandledCall}. */
class Answer<Link extends CallingLink> implements HandledCall<Link> {
  readonly from: string;
  readonly metadata: AgentMessage['metadata'];
  /** Resolves the wait for room in a stream. */
  room: (() => void) | undefined;
  /** Whoever watches it. */
  watched: TracedAnswer | undefined;
  #controller: AbortController | undefined;
  #reason: AgentError | undefined;

  constructor(
    readonly link: Link,
    readonly id: string,
    readonly capability: string,
    metadata: AgentMessage['metadata'] | undefined,
  ) {
    this.from = link.remote.agentId;
    this.metadata = metadata ?? { agentId: this.from };
  }

  /** Made when somebody asks for it: most handlers do not. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Why nobody waits for the result any more. */
  get stopped(): AgentError | undefined {
    return this.#reason;
  }

  stop(reason: AgentError): void {
    this.#reason ??= reason;
    this.#controller?.abort(reason);
    this.room?.();
  }
}

/** The calls of the other side that run here. */
export class Answers<Link extends CallingLink> {
  readonly #host: AnswersHost<Link>;
  readonly #timer: CallTimer;
  readonly #active = new Map<string, Answer<Link>>();
  readonly #gate: Gate;

  constructor(host: AnswersHost<Link>, timer: CallTimer) {
    this.#host = host;
    this.#timer = timer;
    const { pendingCalls, runningCalls, queuedCalls, callInputBytes } = host.limits;
    this.#gate = new Gate('one agent', runningCalls, queuedCalls);
    const active = Math.min(runningCalls + queuedCalls, 2 ** 32 - 1);
    host.session.configureCalls(pendingCalls, active, callInputBytes, host.failAs === 'response');
  }

  /** Calls whose handlers have not finished. */
  get size(): number {
    return this.#active.size;
  }

  /** The other side calls. */
  answer(call: string, capability: string, message: Partial<AgentMessage>): void {
    const answer = new Answer(this.#host.link, call, capability, message.metadata);
    this.#active.set(call, answer);
    if (answer.metadata.ttl !== undefined) {
      const wait = this.#host.session.nextCallTimeout();
      if (wait !== null) this.#timer.by(wait);
    }
    const { input } = message.payload as { input?: unknown };
    this.#watched(answer, () => this.#run(answer, input)).catch((error: unknown) => {
      if (answer.stopped) return;
      const text = `the answer to a call of "${capability}" was not sent: ${messageOf(error)}`;
      this.#host.problem(new AgentError('CAPABILITY_FAILED', text, { cause: error }));
    });
  }

  #watched(answer: Answer<Link>, run: () => Promise<void>): Promise<void> {
    const { tracing } = this.#host;
    if (!tracing) return run();
    const { capability, from } = answer;
    const { traceparent, tracestate } = answer.metadata;
    const known = this.#host.capability(capability) !== undefined;
    answer.watched = tracing.answering(from, capability, known, { traceparent, tracestate });
    return answer.watched.run(run);
  }

  /** Nobody waits for the result any more. */
  cancel(call: string, reason: AgentError): void {
    this.#active.get(call)?.stop(reason);
  }

  /** The reader of a streamed result has caught up. */
  room(call: string): void {
    this.#active.get(call)?.room?.();
  }

  /** Nobody waits for any of them. */
  stop(reason: AgentError): void {
    for (const answer of this.#active.values()) answer.stop(reason);
    this.#active.clear();
  }

  async #run(answer: Answer<Link>, input: unknown): Promise<void> {
    const { id } = answer;
    const capability = this.#host.capability(answer.capability);
    try {
      if (!capability) throw notFound(answer.capability);
      await this.#behindGates([this.#gate, ...(capability.gate ? [capability.gate] : [])], answer, () =>
        this.#handle(answer, capability, input),
      );
    } catch (error) {
      answer.watched?.end(answer.stopped ?? error);
      if (!answer.stopped) await this.#transmit(answer, 0, this.#failure(id, error, capability));
    } finally {
      answer.watched?.end(answer.stopped);
      // Another call may have the name by now, if the connection was lost meanwhile.
      if (this.#active.get(id) === answer) {
        this.#active.delete(id);
        this.#host.session.finish(id);
      }
    }
  }

  /** Runs `handle` when it is its turn everywhere; the narrowest gate comes last, so that none is held in vain. */
  async #behindGates(gates: Gate[], answer: Answer<Link>, handle: () => Promise<void>): Promise<void> {
    const [gate, ...others] = gates;
    if (!gate) return await handle();
    if (!gate.tryEnter()) await gate.wait(this.#host.link, answer.signal);
    try {
      await this.#behindGates(others, answer, handle);
    } finally {
      gate.leave();
    }
  }

  async #handle(answer: Answer<Link>, capability: Capability<Link>, input: unknown): Promise<void> {
    const { session } = this.#host;
    const { id } = answer;
    const result = await capability.handler(input as never, answer);
    const items = iteratorOf(result);
    if (items) {
      await this.#stream(answer, items, capability);
      return;
    }
    if (answer.stopped) return;
    const json = toJson(result, `the result of "${answer.capability}"`);
    await this.#transmit(answer, json.length, () => session.respond(id, json), capability);
  }

  /** Sends the items one after the other, at the pace of their reader, or all together to one who takes them so. */
  async #stream(answer: Answer<Link>, items: Items, capability: Capability<Link>): Promise<void> {
    const { session } = this.#host;
    const { id } = answer;
    const whole = session.streams(id) ? undefined : new WholeResult(answer.capability);
    let exhausted = false;
    try {
      while (await this.#mayGoOn(answer, whole)) {
        const next = await items.next();
        exhausted = next.done === true;
        if (exhausted || answer.stopped) break;
        const json = toJson(next.value, `an item of "${answer.capability}"`);
        if (whole) whole.add(json);
        else await this.#transmit(answer, json.length, () => session.respondItem(id, json));
      }
    } finally {
      // The generator is told to end, and counts until it has.
      if (!exhausted) await items.return?.();
    }
    if (answer.stopped) return;
    const json = whole?.json;
    const compose = () => (json === undefined ? session.respondEnd(id) : session.respond(id, json));
    await this.#transmit(answer, json?.length ?? 0, compose, capability);
  }

  /** Waits until the reader has room. False: nobody reads any more. */
  async #mayGoOn(answer: Answer<Link>, whole: WholeResult | undefined): Promise<boolean> {
    while (!answer.stopped && !whole && !this.#host.session.hasRoom(answer.id)) {
      await new Promise<void>((resolve) => (answer.room = resolve));
      answer.room = undefined;
    }
    return !answer.stopped;
  }

  /** Sends an answer of about this length. One that cannot be sent becomes a failure, if `capability` is given. */
  async #transmit(
    answer: Answer<Link>,
    length: number,
    compose: () => string,
    capability?: Capability<Link>,
  ): Promise<void> {
    const text = () => {
      if (answer.stopped) throw answer.stopped;
      try {
        return nativeAgentCall(compose);
      } catch (error) {
        if (!capability) throw error;
        answer.watched?.end(error);
        // The result is too large: the caller has to learn that.
        return nativeAgentCall(this.#failure(answer.id, error, capability));
      }
    };
    // What nobody waits for any more is not sent on. Most answers go at once, and need no signal for that.
    const signal = length <= SMALL && this.#host.hasRoom() ? undefined : answer.signal;
    await this.#host.transmit(text, signal, answer.metadata.priority as SendOptions['priority']);
  }

  #failure(call: string, error: unknown, capability: Capability<Link> | undefined): () => string {
    const { code, message, details, retryable } =
      error instanceof AgentError ? error : new AgentError('CAPABILITY_FAILED', messageOf(error));
    const json = details === undefined ? undefined : toJson(details, 'the details of the error');
    const asResponse = (capability?.failAs ?? this.#host.failAs) === 'response';
    return () => this.#host.session.fail(call, code, message, json, retryable, asResponse);
  }
}

function notFound(capability: string): AgentError {
  return new AgentError('CAPABILITY_NOT_FOUND', `this agent has no capability "${capability}"`);
}

/** A streamed result for somebody who takes it in one piece. */
class WholeResult {
  readonly #capability: string;
  readonly #items: string[] = [];
  #characters = 0;

  constructor(capability: string) {
    this.#capability = capability;
  }

  add(item: string): void {
    this.#items.push(item);
    this.#characters += item.length + 1;
    if (this.#items.length <= WHOLE_RESULT.items && this.#characters <= WHOLE_RESULT.characters) return;
    const bounds = `${WHOLE_RESULT.items} items or 16 Mi characters of JSON`;
    const text = `the result of "${this.#capability}" has more than ${bounds}; take it item by item, with callStream()`;
    throw new AgentError('MESSAGE_TOO_LARGE', text);
  }

  get json(): string {
    return `[${this.#items.join(',')}]`;
  }
}

/** Items of a result, asynchronous or not. */
interface Items {
  next(): Promise<IteratorResult<unknown, unknown>> | IteratorResult<unknown, unknown>;
  return?(): unknown;
}

/**
 * The items of what a handler has returned, if those are the result: an async iterable (an async generator, a
 * `ReadableStream`, a Node `Readable`), or a generator. Arrays and other collections are results of their own.
 */
function iteratorOf(result: unknown): Items | undefined {
  if (typeof result !== 'object' || result === null) return undefined;
  if (Symbol.asyncIterator in result) return (result as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  const generator = result as Partial<Items & Iterable<unknown>>;
  const isGenerator = typeof generator.next === 'function' && typeof generator[Symbol.iterator] === 'function';
  return isGenerator ? (generator as Items) : undefined;
}
