// A state that a group of agents shares. Changes go out at once over a channel that tries nothing twice, as in the
// specification's real-time collaboration; what gets lost is found and mended over the reliable messages of the links.
import { AgentError } from 'ossa-webrtc';
import type { AgentPeer, Link, Room } from 'ossa-webrtc';

import { Member } from './member.mts';
import { type Entry, readEntries, readKeys, Replica } from './replica.mts';

/** Options of {@link SharedState}. */
export interface SharedStateOptions {
  /** The label of the channels; states with different labels know nothing of each other. Default: `state-sync`. */
  label?: string;
  /** Milliseconds between two comparisons with each other agent. Default: 1,000. */
  interval?: number;
  /** Hears what was not understood, what there is no room for, and what did not work. Default: nobody does. */
  onProblem?: (error: Error) => void;
}

/** Called after a change, from this side or another; `value` is `undefined` if the key was deleted. */
export type ChangeListener = (key: string, value: unknown, author: string) => void;

/** Characters of entries in one message; what is left follows in the next one. */
const BATCH = 512 * 1024;

/** Messages in one comparison: enough for the largest state, and an end for somebody who is never content. */
const ROUNDS = 256;

/** See above. */
export class SharedState implements AsyncDisposable {
  readonly #replica: Replica;
  readonly #label: string;
  readonly #interval: number;
  readonly #onProblem: (error: Error) => void;
  readonly #listeners = new Set<ChangeListener>();
  readonly #members = new Map<Link, Member>();
  readonly #withdraw: () => void;
  #room: Room | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(peer: AgentPeer, options: SharedStateOptions = {}) {
    const { label = 'state-sync', interval = 1000, onProblem = () => undefined } = options;
    this.#replica = new Replica(peer.agentId);
    this.#label = label;
    this.#interval = interval;
    this.#onProblem = onProblem;
    const handlers = [
      peer.handle(`${label}.compare`, (summary: unknown, { link }) => {
        this.#checkMember(link);
        return summary === this.#replica.summary ? null : this.#replica.versions;
      }),
      peer.handle(`${label}.exchange`, (input: { entries?: unknown; wanted?: unknown }, { link }) => {
        this.#checkMember(link);
        this.#merge(readEntries(input.entries));
        return this.#replica.entries(readKeys(input.wanted), BATCH);
      }),
    ];
    this.#withdraw = () => handlers.forEach((withdraw) => withdraw());
    this.#arm();
  }

  /** A copy that follows everybody in a room. Resolves when it has been compared with those who were there. */
  static async join(peer: AgentPeer, name: string, options?: SharedStateOptions): Promise<SharedState> {
    const shared = new SharedState(peer, options);
    const room = (shared.#room = await peer.join(name));
    room.on('join', (_member, link) => void shared.add(link));
    await room.ready;
    await Promise.all([...room.links.values()].map((link) => shared.add(link)));
    return shared;
  }

  /** The state as an object of its own. */
  get state(): Record<string, unknown> {
    return this.#replica.state;
  }

  /** The value of a key; `undefined` if there is none. */
  get(key: string): unknown {
    return this.#replica.get(key);
  }

  /** Changes a key here and everywhere. @throws What {@link Replica.set} throws. */
  set(key: string, value: unknown): void {
    if (value === undefined) throw new TypeError('undefined is no value: delete() takes a key away');
    this.#publish([this.#replica.set(key, value)]);
  }

  /** Takes a key away, here and everywhere. */
  delete(key: string): void {
    if (this.get(key) !== undefined) this.#publish([this.#replica.set(key, undefined)]);
  }

  /** Calls `listener` after each change, until the function that is returned is called. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Shares the state with the agent at the other end, until the link is closed or this copy is. Whoever is added can change
   * everything. Resolves when it has been compared once; an agent that knows no shared state only gets what changes.
   */
  async add(link: Link): Promise<void> {
    if (link.state === 'closed') return;
    let member = this.#members.get(link);
    if (!member) {
      const host = {
        received: (message: unknown) => this.#received(message, link),
        problem: this.#onProblem,
        retryAfter: this.#interval,
      };
      member = new Member(link, this.#label, host);
      this.#members.set(link, member);
      link.on('close', () => this.#members.delete(link));
      member.compared = this.#compare(member);
    }
    await member.compared;
  }

  /** Leaves: the channels are closed, links of the application stay. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#withdraw();
    const members = [...this.#members.values()];
    this.#members.clear();
    await Promise.all(members.map((member) => member.close()));
    await this.#room?.leave();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Compares with everybody now and then; not all agents at the same time. */
  #arm(): void {
    const wait = this.#interval * (0.75 + Math.random() / 2);
    this.#timer = setTimeout(() => {
      for (const member of this.#members.values()) {
        if (!member.comparing && member.link.state === 'open') member.compared = this.#compare(member);
      }
      this.#arm();
    }, wait).unref();
  }

  /** Gets what is newer over there and gives what is newer here, until both are the same. Never rejects. */
  async #compare(member: Member): Promise<void> {
    const { link } = member;
    member.comparing = true;
    try {
      let progress = true;
      for (let round = 0; progress && round < ROUNDS; round++) {
        const theirs = await link.call(`${this.#label}.compare`, this.#replica.summary);
        if (theirs === null || !this.#members.has(link)) break;
        const { entries, wanted } = this.#replica.difference(theirs, BATCH);
        const before = this.#replica.summary;
        this.#merge(readEntries(await link.call(`${this.#label}.exchange`, { entries, wanted })));
        // What is news here may have come from the other side's own comparison meanwhile.
        progress = entries.length > 0 || this.#replica.summary !== before;
      }
    } catch (error) {
      // The next comparison may work; agents that know no shared state do not compare.
      if (!(error instanceof AgentError && error.code === 'CAPABILITY_NOT_FOUND')) this.#onProblem(error as Error);
    } finally {
      member.comparing = false;
    }
  }

  #checkMember(link: Link): void {
    if (this.#members.has(link)) return;
    throw new AgentError('UNAUTHORIZED', `${link.remote.agentId} does not share this state`, { retryable: true });
  }

  /**
   * `{type: 'state_update', payload: {key: value}}`, ours with `metadata.versions: {key: [sequence, author]}`. A key of
   * those that is not in the payload was deleted.
   */
  #received(message: unknown, link: Link): void {
    const { type, payload, metadata } = message as { type?: unknown; payload?: unknown; metadata?: unknown };
    if (type !== 'state_update' || typeof payload !== 'object' || payload === null) {
      throw new TypeError('this is no state_update with an object as its payload');
    }
    const values = new Map<string, unknown>(Object.entries(payload));
    const { versions } = (metadata ?? {}) as { versions?: Record<string, unknown> };
    if (versions === undefined) return this.#adopt(values, link.remote.agentId);
    const entries = Object.entries(versions).map(([key, version]) => {
      const [sequence, author] = version as unknown[];
      return { key, sequence, author, value: values.get(key) };
    });
    this.#merge(readEntries(entries));
  }

  /** From somebody who counts nothing. Others who got it too count it in the same way; comparing settles the rest. */
  #adopt(values: Map<string, unknown>, author: string): void {
    const news = [...values].flatMap(([key, value]) => this.#replica.adopt(key, value, author) ?? []);
    if (news.length > 0) this.#publish(news);
  }

  #publish(entries: Entry[]): void {
    const message = JSON.stringify({
      type: 'state_update',
      payload: Object.fromEntries(entries.filter(isPresent).map(({ key, value }) => [key, value])),
      metadata: {
        agentId: this.#replica.agentId,
        versions: Object.fromEntries(entries.map(({ key, sequence, author }) => [key, [sequence, author]])),
      },
    });
    for (const member of this.#members.values()) member.send(message);
    this.#tell(entries);
  }

  #merge(entries: Entry[]): void {
    const { news, refused } = this.#replica.merge(entries);
    if (refused > 0) this.#onProblem(new RangeError(`there is no room for ${refused} keys of other agents`));
    this.#tell(news);
  }

  #tell(entries: Entry[]): void {
    for (const { key, value, author } of entries) for (const listener of this.#listeners) listener(key, value, author);
  }
}

function isPresent({ value }: Entry): boolean {
  return value !== undefined;
}
