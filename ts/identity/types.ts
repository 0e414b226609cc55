// What an application says about the keys of others.
import type { AgentKeys } from './keys';
import type { PublicKeyInput } from './public-key';
import type { KnownKeys } from './known-keys';

/**
 * How much the name of another agent has to be proven.
 *
 * - `'required'`: offers and answers need a token that a known key has signed. Nobody else gets a connection.
 * - `'tofu'` (trust on first use): the key of the first contact counts from then on.
 * - `'spec-literal'`: as in the specification, with the key that the sender itself supplies. It proves nothing.
 * - `'none'`: tokens of others are not looked at.
 */
export type AuthMode = 'required' | 'tofu' | 'spec-literal' | 'none';

/** How the name of an agent was established. */
export type AuthHow = 'pinned' | 'resolver' | 'jwks' | 'tofu' | 'self-asserted' | 'none';

/** Where key sets are published. */
export interface JwksOptions {
  /**
   * The `https:` URL of a set for all agents, whose keys say in a member `agentId`, or in a `kid` that is the agent's
   * URI alone or followed by `#` and a name, whose they are; or a function that gives the URL of an agent's own set.
   */
  url: string | URL | ((agentId: string) => string | URL | undefined | Promise<string | URL | undefined>);
  /** PEM certificates of authorities to trust instead of the system's. */
  ca?: string;
  /**
   * Milliseconds that a set is used before it is fetched again; a key that was withdrawn counts for as long, also while its
   * server is away. From 1 to 86,400,000. Default: 300,000, five minutes.
   */
  maxAge?: number;
  /**
   * Milliseconds between two attempts to fetch the same set, so that made-up `kid`s do not flood its server; a key that was
   * just published waits for as long. From 1 to `maxAge`. Default: 30,000, at a signaling server 2,000, so that new agents do not
   * give up meanwhile; or `maxAge` if that is less.
   */
  coolDown?: number;
}

/** The option `auth` of {@link createPeer}. */
export interface AuthOptions {
  /** The agent's own keys: offers and answers are signed with them. */
  keys?: AgentKeys;
  /** Default: `'required'`. */
  mode?: AuthMode;
  /** Keys of other agents, by URI; several while a key is being replaced. An agent that is here is looked up nowhere else. */
  pinned?:
    | Readonly<Record<string, PublicKeyInput | readonly PublicKeyInput[]>>
    | ReadonlyMap<string, PublicKeyInput | readonly PublicKeyInput[]>;
  /** Finds the keys of an agent; nothing if there are none. It has five seconds. `kid` is what the token claims. */
  resolve?: (
    agentId: string,
    kid: string | undefined,
  ) =>
    | PublicKeyInput
    | readonly PublicKeyInput[]
    | null
    | undefined
    | Promise<PublicKeyInput | readonly PublicKeyInput[] | null | undefined>;
  /** Published key sets. */
  jwks?: string | URL | JwksOptions;
  /** Keys of first contacts, for `'tofu'`. Default: kept in memory, forgotten at the end of the process. */
  knownKeys?: KnownKeys;
  /** Say nothing to those that are refused, so that they do not even learn that there is an agent. Default: false. */
  silent?: boolean;
}
