// The option `auth`, checked and with its defaults.
import { checkFunction, checkInteger, checkMembers } from '../base';
import { normalizeAgentUri } from './agent-uri';
import { AgentKeys, publicKeyText } from './keys';
import { KnownKeys } from './known-keys';
import type { PublicKeyInput } from './public-key';
import type { AuthMode, AuthOptions, JwksOptions } from './types';

/** Published key sets. */
export type JwksSettings = JwksOptions & Required<Pick<JwksOptions, 'maxAge' | 'coolDown'>>;

/** Everything that decides, complete. */
export interface AuthSettings {
  readonly mode: AuthMode;
  readonly keys: AgentKeys | undefined;
  /** PEM by agent URI. */
  readonly pinned: ReadonlyMap<string, readonly string[]>;
  readonly resolve: AuthOptions['resolve'];
  readonly jwks: JwksSettings | undefined;
  readonly known: KnownKeys | undefined;
  readonly silent: boolean;
}

const MODES: readonly AuthMode[] = ['required', 'tofu', 'spec-literal', 'none'];
const MEMBERS = ['keys', 'mode', 'pinned', 'resolve', 'jwks', 'knownKeys', 'silent'] as const;

/**
 * The option `auth` of a peer. Without it nobody is authenticated, as the specification leaves it optional. `pause`: the default
 * of `jwks.coolDown`.
 *
 * @throws TypeError - A member is unknown or wrong, or members contradict each other: nothing here is ignored silently.
 */
export function resolveAuth(auth: AuthOptions | undefined, pause = 30_000): AuthSettings {
  checkMembers(auth, 'auth', MEMBERS);
  const { keys, pinned, resolve, jwks, knownKeys, silent = false } = auth ?? {};
  const mode = auth?.mode ?? (auth === undefined ? 'none' : 'required');
  if (!MODES.includes(mode)) throw new TypeError(`auth.mode must be one of ${MODES.join(', ')}, not ${String(mode)}`);
  if (keys !== undefined && !(keys instanceof AgentKeys)) {
    throw new TypeError('auth.keys must come from generateAgentKeys(), loadAgentKeys() or new AgentKeys()');
  }
  if (resolve !== undefined) checkFunction(resolve, 'auth.resolve');
  if (typeof silent !== 'boolean') throw new TypeError('auth.silent must be true or false');
  if (knownKeys !== undefined && !(knownKeys instanceof KnownKeys)) {
    throw new TypeError('auth.knownKeys must be a KnownKeys');
  }
  const sources = { pinned, resolve, jwks };
  checkSources(
    mode,
    Object.entries(sources).flatMap(([name, source]) => (source === undefined ? [] : [name])),
  );
  if (knownKeys && mode !== 'tofu') throw new TypeError(`auth.knownKeys is for the mode "tofu", not for "${mode}"`);
  return {
    mode,
    keys,
    pinned: pinnedKeys(pinned),
    resolve,
    jwks: jwks === undefined ? undefined : jwksOptions(jwks, pause),
    known: mode === 'tofu' ? (knownKeys ?? new KnownKeys()) : undefined,
    silent,
  };
}

function checkSources(mode: AuthMode, given: string[]): void {
  if (mode === 'required' && given.length === 0) {
    throw new TypeError(
      'auth says nothing about the keys of other agents, so nobody could connect: give auth.pinned, auth.resolve or ' +
        'auth.jwks, or choose auth.mode "tofu", "spec-literal" or "none"',
    );
  }
  if ((mode === 'none' || mode === 'spec-literal') && given.length > 0) {
    throw new TypeError(`auth.${given[0]} is not used in the mode "${mode}"; leave one of them out`);
  }
}

function pinnedKeys(pinned: AuthOptions['pinned'] = {}): Map<string, string[]> {
  if (typeof pinned !== 'object' || pinned === null) throw new TypeError('auth.pinned must be an object or a Map');
  const entries = pinned instanceof Map ? (pinned as Map<string, unknown>).entries() : Object.entries(pinned);
  const keys = new Map<string, string[]>();
  for (const [uri, value] of entries) {
    const agentId = normalizeAgentUri(uri);
    try {
      keys.set(agentId, keyTexts(value));
    } catch (error) {
      throw new TypeError(`auth.pinned["${agentId}"]: ${(error as Error).message}`, { cause: error });
    }
  }
  return keys;
}

/** One key or several, as PEM. */
export function keyTexts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map((key) => publicKeyText(key as PublicKeyInput));
}

/** A withdrawn key counts for so many milliseconds at most: a day is longer than anybody should want. */
const LONGEST = 86_400_000;

function jwksOptions(jwks: NonNullable<AuthOptions['jwks']>, pause: number): JwksSettings {
  const options: JwksOptions = typeof jwks === 'string' || jwks instanceof URL ? { url: jwks } : jwks;
  checkMembers(options, 'auth.jwks', ['url', 'ca', 'maxAge', 'coolDown']);
  const { url, ca, maxAge = 300_000 } = options;
  const { coolDown = Math.min(pause, maxAge) } = options;
  if (ca !== undefined && typeof ca !== 'string') throw new TypeError('auth.jwks.ca must be PEM');
  checkInteger(maxAge, 'auth.jwks.maxAge', 1, LONGEST);
  // Longer, a set that is too old would be of no use and could not be fetched either.
  checkInteger(coolDown, 'auth.jwks.coolDown', 1, maxAge);
  return { url: typeof url === 'function' ? url : httpsUrl(url), ca, maxAge, coolDown };
}

/** For the core, which keeps the sets. */
export function keySetTimes({ jwks }: AuthSettings): { keySetMaxAge?: number; keySetCoolDown?: number } {
  return jwks ? { keySetMaxAge: jwks.maxAge, keySetCoolDown: jwks.coolDown } : {};
}

/**
 * The text of an `https:` URL: over plain http anybody on the way could put a key in.
 *
 * @throws TypeError - It is another one.
 */
export function httpsUrl(url: unknown): string {
  let parsed: URL;
  try {
    parsed = new URL(String(url));
  } catch {
    throw new TypeError('the URL of a key set must be an https: URL');
  }
  if (parsed.protocol !== 'https:') {
    throw new TypeError(`the URL of a key set must be an https: URL, not ${parsed.protocol}`);
  }
  return parsed.href;
}
