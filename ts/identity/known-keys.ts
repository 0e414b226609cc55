// Keys of agents that were met before, for trust on first use.
import { checkInteger, checkMembers, describe } from '../base';
import { normalizeAgentUri } from './agent-uri';
import { publicKeyText } from './keys';
import type { PublicKeyInput } from './public-key';
import { readSecret, writeSecret } from './secret-file';

/** Agents that are remembered. Each takes about 700 bytes. */
const DEFAULT_CAPACITY = 10_000;

/** Options of {@link KnownKeys}. */
export interface KnownKeysOptions {
  /**
   * How many agents are remembered; default 10,000. At the bound unknown agents are refused: to forget a key would let
   * somebody else take the name over.
   */
  capacity?: number;
}

/** The keys of agents that were met before. Iterating gives pairs of agent URI and PEM. */
export class KnownKeys implements Iterable<[string, string]> {
  readonly #keys = new Map<string, string>();
  readonly #capacity: number;
  #path: string | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(entries: Iterable<readonly [string, PublicKeyInput]> = [], options: KnownKeysOptions = {}) {
    checkMembers(options, 'the options of KnownKeys', ['capacity']);
    this.#capacity = checkInteger(options.capacity ?? DEFAULT_CAPACITY, 'capacity', 1, 10_000_000);
    if (typeof (entries as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] !== 'function') {
      throw new TypeError(`the entries of KnownKeys must be a list of pairs, not ${describe(entries)}`);
    }
    for (const [agentId, key] of entries) this.set(agentId, key);
  }

  /**
   * Opens a file of known keys, or begins one. Every new key is written to it, as with {@link saveAgentKeys}: others must
   * not be able to put a key in.
   *
   * @throws AgentError - `UNAUTHORIZED` if others than the owner can read the file.
   * @throws TypeError - It holds something else.
   */
  static async open(path: string, options: KnownKeysOptions = {}): Promise<KnownKeys> {
    let entries: [string, string][] = [];
    try {
      entries = Object.entries(JSON.parse(await readSecret(path)) as Record<string, string>);
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new TypeError(`${path} does not hold known keys: it is not JSON`, { cause: error });
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const known = new KnownKeys(entries, options);
    known.#path = path;
    return known;
  }

  /** How many agents are known. */
  get size(): number {
    return this.#keys.size;
  }

  /** No more agents are remembered. */
  get full(): boolean {
    return this.#keys.size >= this.#capacity;
  }

  /** The key of an agent, PEM. */
  get(agentId: string): string | undefined {
    return this.#keys.get(normalizeAgentUri(agentId));
  }

  /**
   * Remembers a key, in place of the one before.
   *
   * @throws RangeError - The capacity is reached and the agent is a new one.
   */
  set(agentId: string, key: PublicKeyInput): void {
    const agent = normalizeAgentUri(agentId);
    if (this.full && !this.#keys.has(agent)) throw new RangeError(`${this.#capacity} agents are known already`);
    this.#keys.set(agent, publicKeyText(key));
    this.#changed();
  }

  /** Forgets an agent, for example because it has got new keys: its next contact is a first one. */
  delete(agentId: string): boolean {
    const deleted = this.#keys.delete(normalizeAgentUri(agentId));
    if (deleted) this.#changed();
    return deleted;
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.#keys.entries();
  }

  /** For `JSON.stringify`: PEM by agent URI. */
  toJSON(): Record<string, string> {
    return Object.fromEntries(this.#keys);
  }

  /** Resolves when everything is in the file; rejects if the last attempt to write it failed. */
  saved(): Promise<void> {
    return this.#saving;
  }

  /** One write after the other; those that come meanwhile are one. */
  #changed(): void {
    const path = this.#path;
    if (path === undefined) return;
    const before = this.#saving.catch(() => undefined);
    const saving = before.then(async () => {
      // A later change writes this one too.
      if (this.#saving === saving) await writeSecret(path, `${JSON.stringify(this, undefined, 1)}\n`);
    });
    // A failure is what `saved()` is for; the keys are in memory anyway.
    saving.catch(() => undefined);
    this.#saving = saving;
  }
}
