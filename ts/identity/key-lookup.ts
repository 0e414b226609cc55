// Finds the key that an agent has to sign with: pinned, from the application, published, known from before.
import type { Logger } from '../base';
import { within, type binding } from '../native';
import { KeyFetcher } from './fetch-keys';
import { httpsUrl, keyTexts, type AuthSettings } from './options';
import type { AuthHow } from './types';

/** The time that an application's function has, in milliseconds. */
const PATIENCE = 5000;

/** Whose word counts for a message; the core takes it from here. */
export interface Trusted {
  readonly trust: 'keys' | 'first-use' | 'claimed';
  readonly keys: readonly string[];
  readonly how: AuthHow;
}

/** Why a message is refused. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
  /** It may be otherwise in a moment: nobody has asked the key server about it. */
  readonly temporary?: boolean;
}

type Found = Trusted | Refusal | undefined;

/** The native part of an agent's authentication. */
export type NativeAuth = InstanceType<typeof binding.AgentAuth>;

/** Published key sets; a signaling server has them as well. */
type KeySets = Pick<NativeAuth, 'lookUpKey' | 'storeKeys'>;

const UNKNOWN: Refusal = { reason: 'key-unknown', message: 'no key is known for the sender' };

/** Looks keys up in the order of the documentation; the first place that knows the agent decides. */
export class KeyLookup {
  readonly #settings: AuthSettings;
  readonly #native: KeySets;
  readonly #logger: Logger;
  readonly #fetcher: KeyFetcher;

  constructor(settings: AuthSettings, native: KeySets, logger: Logger) {
    this.#settings = settings;
    this.#native = native;
    this.#logger = logger;
    this.#fetcher = new KeyFetcher(settings.jwks?.ca);
  }

  /** Whose keys count for a token of `agentId` that claims to be signed with `kid`. */
  async find(agentId: string, kid: string | undefined): Promise<Trusted | Refusal> {
    const { mode, pinned, known } = this.#settings;
    if (mode === 'spec-literal') return { trust: 'claimed', keys: [], how: 'self-asserted' };
    const keys = pinned.get(agentId);
    if (keys) return { trust: 'keys', keys, how: 'pinned' };
    const found = (await this.#resolved(agentId, kid)) ?? (await this.#published(agentId, kid));
    if (found && (known === undefined || 'trust' in found)) return found;
    return this.#met(agentId) ?? found ?? UNKNOWN;
  }

  /** Ends what is being fetched. */
  close(): void {
    this.#fetcher.close();
  }

  async #resolved(agentId: string, kid: string | undefined): Promise<Found> {
    const { resolve } = this.#settings;
    if (!resolve) return undefined;
    try {
      const value = await within(PATIENCE, () => resolve(agentId, kid));
      if (value === undefined || value === null) return undefined;
      return { trust: 'keys', keys: keyTexts(value), how: 'resolver' };
    } catch {
      // What the application throws may contain anything; it is not ours to log.
      this.#logger.warn('auth.resolve failed, took more than 5 s, or gave something that is no public key', {
        remote: agentId,
      });
      return { reason: 'resolver-failed', message: 'the key of the sender could not be resolved' };
    }
  }

  async #published(agentId: string, kid: string | undefined): Promise<Found> {
    const { jwks } = this.#settings;
    if (!jwks) return undefined;
    if (kid === undefined) return { reason: 'kid-missing', message: 'the token does not name its key' };
    let set: string | undefined;
    try {
      set = await this.#keySet(agentId);
    } catch {
      this.#logger.warn('auth.jwks.url failed, took more than 5 s, or gave no https: URL', { remote: agentId });
      return { reason: 'key-set-unavailable', message: 'there is no usable URL for the key set of the sender' };
    }
    if (set === undefined) return undefined;
    const shared = typeof jwks.url !== 'function';
    let lookup = this.#native.lookUpKey(set, agentId, kid, shared);
    let current = false;
    if (lookup.fetch) {
      current = await this.#fetch(set);
      lookup = this.#native.lookUpKey(set, agentId, kid, shared);
    } else if (lookup.refusal !== undefined && lookup.refusal !== null && this.#fetcher.busy(set)) {
      // Somebody else's lookup is fetching this set: what it brings counts here too.
      current = await this.#fetcher.fetch(set).then(
        () => true,
        () => false,
      );
      lookup = this.#native.lookUpKey(set, agentId, kid, shared);
    }
    if (lookup.keys) return { trust: 'keys', keys: lookup.keys, how: 'jwks' };
    return { reason: lookup.refusal ?? UNKNOWN.reason, message: lookup.text ?? UNKNOWN.message, temporary: !current };
  }

  async #keySet(agentId: string): Promise<string | undefined> {
    const url = this.#settings.jwks?.url;
    if (typeof url !== 'function') return String(url);
    const value = await within(PATIENCE, () => url(agentId));
    return value === undefined ? undefined : httpsUrl(value);
  }

  /** Whether the set is now as it is published. */
  async #fetch(url: string): Promise<boolean> {
    const { host } = new URL(url);
    try {
      const body = await this.#fetcher.fetch(url);
      if (this.#native.storeKeys(url, body)) return true;
      this.#logger.warn('what was fetched is not a key set', { host });
    } catch (error) {
      // The URL may carry credentials; its host is enough to know which it was.
      const { code } = error as NodeJS.ErrnoException;
      this.#logger.warn('a key set could not be fetched', { host, code });
    }
    return false;
  }

  /** Trust on first use: the key of the first contact, or none yet. */
  #met(agentId: string): Found {
    const { known } = this.#settings;
    if (!known) return undefined;
    const key = known.get(agentId);
    if (key !== undefined) return { trust: 'keys', keys: [key], how: 'tofu' };
    // Forgetting a known key instead would let somebody else take the name over.
    if (known.full) return { reason: 'known-keys-full', message: 'no more agents can be remembered' };
    return { trust: 'first-use', keys: [], how: 'tofu' };
  }
}
