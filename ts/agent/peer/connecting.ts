// `connect()`: one link per pair of agents however many ask for it, within a time limit, and patience with an agent that is just starting.
import { randomUUID } from 'node:crypto';

import { clearTimeout, setTimeout } from '../../platform';
import {
  AgentError,
  cancelled,
  checkMembers,
  checkMilliseconds,
  checkSignal,
  describe,
  onAbort,
  orCancelled,
  type ConnectCause,
} from '../../base';
import { normalizeAgentUri } from '../../identity';
import { within } from '../../native';
import { because } from '../connection';
import type { Link } from '../link';
import { traced, type AgentTracing } from '../tracing';
import type { ConnectOptions } from './options';

/** Default time to connect, in milliseconds. */
const CONNECT_TIMEOUT = 30_000;

/**
 * Default of `waitForPeer`, in milliseconds: two programs that are started together find each other also on a busy machine,
 * and a name that nobody has still fails while somebody looks.
 */
const WAIT_FOR_PEER = 3000;

/** The first pause before an agent that is not there is called again, in milliseconds; it doubles from there. */
const FIRST_PAUSE = 50;

/** No pause is longer: forty calls a minute, where our signaling server takes sixty of one agent to another. */
const LONGEST_PAUSE = 2000;

/** What connecting needs of its peer. */
export interface ConnectorHost {
  readonly agentId: string;
  readonly links: ReadonlyMap<string, Link>;
  /** Watches it. */
  readonly tracing: AgentTracing | undefined;
  makeLink(remote: string, sessionId: string): Link;
  /** @throws AgentError - The peer is closed or has lost its signaling service. */
  checkUsable(): void;
  /** Why the signaling service is not there at the moment, if it says so. */
  readonly signalingProblem: string | undefined;
}

/** Connects to other agents. */
export class Connector {
  readonly #host: ConnectorHost;
  /** Who waits until an agent can be called again; woken early when it calls first, and at the end. */
  readonly #pausing = new Map<string, Set<() => void>>();

  constructor(host: ConnectorHost) {
    this.#host = host;
  }

  /** See `AgentPeer.connect`. */
  async connect(agentId: string, options: ConnectOptions): Promise<Link> {
    const remote = normalizeAgentUri(agentId);
    checkMembers(options, 'the options of connect', ['timeout', 'signal', 'waitForPeer']);
    const timeout = checkMilliseconds(options.timeout ?? CONNECT_TIMEOUT, 'timeout');
    const patience = checkPatience(options.waitForPeer ?? WAIT_FOR_PEER);
    const signal = checkSignal(options.signal, 'signal');
    if (remote === this.#host.agentId) throw new TypeError('an agent cannot connect to itself');
    const { tracing } = this.#host;
    const present = this.#host.links.get(remote)?.state;
    const isThere = present !== undefined && present !== 'connecting' && present !== 'reconnecting';
    if (!tracing || isThere) return await this.#connect(remote, { timeout, patience, signal });
    const work = tracing.connecting(remote);
    const connecting = this.#connect(remote, { timeout, patience, signal }).then((link) => {
      work.connected(link.connection);
      return link;
    });
    return await traced(work, connecting);
  }

  async #connect(
    remote: string,
    { timeout, patience, signal }: { timeout: number; patience: number; signal: AbortSignal | undefined },
  ): Promise<Link> {
    const what = `connecting to ${remote}`;
    if (signal?.aborted) throw cancelled(signal, what);
    const late = (link: Link) => {
      const causes = this.#causesOf(link);
      const text = `${what} did not succeed within ${timeout} ms${because(causes)}`;
      return new AgentError('AGENT_UNREACHABLE', text, { retryable: true, causes });
    };
    const started = performance.now();
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      const left = timeout - (performance.now() - started);
      this.#host.checkUsable();
      const link = this.#link(remote);
      if (link.state !== 'connecting' && link.state !== 'reconnecting') return link;
      try {
        await this.#opened(link, what, Math.max(1, left), signal, late);
        return link;
      } catch (error) {
        const spent = performance.now() - started;
        if (spent >= timeout || !endedBy(link, error)) throw error;
        // The other side has begun another link, or was making this one and has failed: now it is that one, or this side's turn.
        if (link.incoming || this.#host.links.get(remote) !== undefined) continue;
        const ahead = Math.min(patience, timeout) - spent;
        // An agent that has been heard is there, and what did not work will not work in a moment.
        if (ahead <= 0 || link.lifeline.heard || link.lifeline.stranded) throw error;
        // Shortened by chance, so that those who call the same agent do not all come at the same moment.
        await this.#pause(remote, Math.min(pause * (1 - Math.random() / 4), ahead), signal);
        if (signal?.aborted) throw cancelled(signal, what);
      }
    }
  }

  /** A link to this agent is being made: nobody has to wait any longer before calling it. */
  begun(remote: string): void {
    for (const wake of this.#pausing.get(remote) ?? []) wake();
  }

  /** The peer is closed: nobody waits any more. */
  close(): void {
    for (const remote of this.#pausing.keys()) this.begun(remote);
  }

  #causesOf(link: Link): ConnectCause[] {
    const { signalingProblem: problem } = this.#host;
    if (problem === undefined) return link.lifeline.causes;
    // Without signaling nothing else matters yet.
    return [{ kind: 'signaling', code: 0, text: `the signaling service: ${problem}` }];
  }

  #link(remote: string): Link {
    const present = this.#host.links.get(remote);
    if (present) return present;
    const link = this.#host.makeLink(remote, randomUUID());
    link.start();
    return link;
  }

  /** Waits until the link is open. The last one to give up ends the attempt. */
  async #opened(
    link: Link,
    what: string,
    left: number,
    signal: AbortSignal | undefined,
    late: (link: Link) => AgentError,
  ): Promise<void> {
    link.waiting++;
    try {
      await within(left, () => orCancelled(link.opened, signal, what), { late: () => late(link), alive: true });
    } catch (error) {
      if (link.waiting === 1 && link.state === 'connecting') {
        link.lifeline.sayGoodbye();
        link.fail(error as AgentError);
      }
      throw error;
    } finally {
      link.waiting--;
    }
  }

  async #pause(remote: string, milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    const wakers = this.#pausing.get(remote) ?? new Set();
    this.#pausing.set(remote, wakers);
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        takeBack();
        wakers.delete(end);
        if (wakers.size === 0) this.#pausing.delete(remote);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      const takeBack = onAbort(signal, end);
      wakers.add(end);
    });
  }
}

/** Whether the link has ended because of this error, and another one may come about. */
function endedBy(link: Link, error: unknown): boolean {
  // Without an error of its own the link was closed on this side.
  if (link.error === undefined || link.error !== error) return false;
  return link.error.code === 'AGENT_UNREACHABLE' && link.error.retryable;
}

function checkPatience(value: unknown): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw new TypeError(`waitForPeer must be a number of milliseconds from 0, or Infinity, not ${describe(value)}`);
}
