// What a signaling server asks agents for before it registers them.
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';

import {
  checkFunction,
  checkInteger,
  checkMembers,
  checkMilliseconds,
  checkName,
  nativeAgentCall,
  type Logger,
} from '../../base';
import { KeyLookup, keySetTimes, normalizeAgentUri, resolveAuth, type AuthOptions } from '../../identity';
import { binding, within } from '../../native';

/** Names of the server, as agents dial them. */
interface WithAudience {
  /**
   * The names under which agents dial the server, `'signal.example'` or `'signal.example:8443'`: their proofs have to be
   * made for one of them. Default: whatever the `Host` of a request says. Then another server that an agent dials could pass
   * on a challenge of this one and register here in its name: set it wherever agents use more than one server.
   */
  audience?: string | readonly string[];
}

/** Nothing has to be shown: whoever comes first has the name as long as it is connected. For development. */
export interface OpenSignalingAuth {
  mode: 'open';
}

/** Trust on first use: a name belongs to the first key that proves itself under it. */
export interface TofuSignalingAuth extends WithAudience {
  mode: 'tofu';
  /** Milliseconds that a name stays its owner's after it was last connected. Default: 604,800,000, seven days. */
  retention?: number;
  /** Names that are remembered; at this bound new ones are refused. Default: 100,000. */
  capacity?: number;
}

/** Agents prove to hold a key that the server knows as theirs. Sources of keys are those of the option `auth` of agents. */
export interface KeysSignalingAuth extends WithAudience, Pick<AuthOptions, 'pinned' | 'resolve' | 'jwks'> {
  mode: 'keys';
}

/** Who bears a token. */
export interface BearerDetails {
  /** The agent that wants to be registered. */
  readonly agentId: string;
  /** IP address that it connects from. */
  readonly address: string;
}

/** What `verify` may say of a token: yes, no, or yes and who it is. */
export type BearerVerdict = boolean | { readonly owner?: string };

/** Agents show a bearer token (RFC 6750), in the option `token` of their client or in the header `Authorization`. */
export interface BearerSignalingAuth {
  mode: 'bearer';
  /**
   * Decides whether the bearer of a token may register `details.agentId`; it has five seconds. Two bearers with the same
   * `owner` are the same agent: the later one takes its name over at once. Without an `owner` an agent that is connected and
   * answers keeps its name.
   */
  verify?: (token: string, details: BearerDetails) => BearerVerdict | Promise<BearerVerdict>;
  /** Tokens of single agents by their URI, or tokens that are good for every name. */
  tokens?: readonly string[] | Readonly<Record<string, string | readonly string[]>>;
}

/** The option `auth` of {@link createSignalingServer}; see docs/signaling-security.md. */
export type SignalingServerAuth = OpenSignalingAuth | TofuSignalingAuth | KeysSignalingAuth | BearerSignalingAuth;

/** How names are proven at a server. */
export type SignalingAuthMode = SignalingServerAuth['mode'];

/** The checked option. */
export interface SignalingGate {
  readonly mode: SignalingAuthMode;
  /** None for an open server. */
  readonly native: InstanceType<typeof binding.SignalingAuth> | undefined;
  readonly audience: string[];
  /** Ends what is being asked. */
  close(): void;
}

/** The time that an application's function has, in milliseconds. */
const PATIENCE = 5000;

/**
 * Milliseconds between two looks at a key set. An agent whose key has just been published tries for about four seconds to be
 * registered, and must not give up before the set is looked at again.
 */
const KEY_SET_PAUSE = 2000;

/** Faults of a key server or of the application: the agent may try again. */
const TEMPORARY = ['resolver-failed', 'key-set-unavailable', 'key-set-limited'];

const MEMBERS = {
  open: ['mode'],
  tofu: ['mode', 'retention', 'capacity', 'audience'],
  keys: ['mode', 'pinned', 'resolve', 'jwks', 'audience'],
  bearer: ['mode', 'verify', 'tokens'],
} as const;

/**
 * The option `auth` of a server.
 *
 * @throws TypeError - It is not one, or says nothing about keys or tokens.
 */
export function resolveSignalingAuth(auth: SignalingServerAuth | undefined, logger: Logger): SignalingGate {
  const given: SignalingServerAuth = auth ?? { mode: 'open' };
  const mode = (given as { mode?: unknown } | null)?.mode;
  if (typeof mode !== 'string' || !Object.hasOwn(MEMBERS, mode)) {
    throw new TypeError("auth.mode of a signaling server must be 'open', 'tofu', 'keys' or 'bearer'");
  }
  checkMembers(given, `auth with the mode "${mode}"`, MEMBERS[given.mode]);
  const audience = audienceOf(given);
  if (given.mode === 'open') return { mode: 'open', native: undefined, audience, close: () => undefined };
  if (given.mode === 'tofu') return tofu(given, audience);
  return given.mode === 'keys' ? keys(given, audience, logger) : bearer(given, logger);
}

type Answer = (question: never) => Promise<object>;

/** Answers what the core asks. */
function answering(options: ConstructorParameters<typeof binding.SignalingAuth>[0], answer: Answer) {
  const native: InstanceType<typeof binding.SignalingAuth> = nativeAgentCall(
    () =>
      new binding.SignalingAuth(options, (id, question) => {
        void answer(JSON.parse(question) as never).then((result) => native.answer(id, JSON.stringify(result)));
      }),
  );
  return native;
}

function tofu({ retention, capacity }: TofuSignalingAuth, audience: string[]): SignalingGate {
  if (retention !== undefined) checkMilliseconds(retention, 'auth.retention');
  if (capacity !== undefined) checkInteger(capacity, 'auth.capacity', 1, 10_000_000);
  const native = answering({ mode: 'tofu', capacity, retention }, () => Promise.resolve({}));
  return { mode: 'tofu', native, audience, close: () => undefined };
}

function keys({ pinned, resolve, jwks }: KeysSignalingAuth, audience: string[], logger: Logger): SignalingGate {
  const settings = resolveAuth({ mode: 'required', pinned, resolve, jwks }, KEY_SET_PAUSE);
  const native = answering(
    { mode: 'keys', ...keySetTimes(settings) },
    async ({ agentId, kid }: { agentId: string; kid: string | null }) => {
      try {
        const found = await lookup.find(agentId, kid ?? undefined);
        if ('keys' in found) return { keys: found.keys };
        return { reason: found.reason, temporary: found.temporary ?? TEMPORARY.includes(found.reason) };
      } catch {
        return { reason: 'resolver-failed', temporary: true };
      }
    },
  );
  const lookup = new KeyLookup(settings, native, logger);
  return { mode: 'keys', native, audience, close: () => lookup.close() };
}

function bearer(options: BearerSignalingAuth, logger: Logger): SignalingGate {
  const { verify, tokens } = options;
  if ((verify === undefined) === (tokens === undefined)) {
    throw new TypeError('auth with the mode "bearer" needs either verify or tokens');
  }
  if (verify !== undefined) checkFunction(verify, 'auth.verify');
  const decide = verify ?? listed(tokens!);
  type Question = BearerDetails & { token: string };
  const native = answering({ mode: 'bearer' }, async ({ token, agentId, address }: Question) => {
    try {
      const verdict: unknown = await within(PATIENCE, () => decide(token, { agentId, address }));
      if (typeof verdict !== 'object' || verdict === null) return { accepted: verdict === true };
      const { owner } = verdict as { owner?: unknown };
      return { accepted: true, ...(typeof owner === 'string' && { owner }) };
    } catch {
      // What the application throws may contain the token; it is not ours to log.
      logger.warn('auth.verify of the signaling server failed or took more than 5 s', { agentId });
      return { unavailable: true };
    }
  });
  return { mode: 'bearer', native, audience: [], close: () => undefined };
}

/** Only hashes are compared: how long that takes says nothing about the tokens. */
const hashOf = (token: string) => createHash('sha256').update(token).digest('base64');

function listed(tokens: NonNullable<BearerSignalingAuth['tokens']>): NonNullable<BearerSignalingAuth['verify']> {
  if (typeof tokens !== 'object' || tokens === null) throw new TypeError('auth.tokens must be a list or an object');
  const hashes = (list: unknown, what: string) => {
    const texts: readonly unknown[] = Array.isArray(list) ? list : [list];
    return new Set(texts.map((token) => hashOf(checkName(token, what))));
  };
  if (Array.isArray(tokens)) {
    const shared = hashes(tokens, 'each of auth.tokens');
    return (token) => shared.has(hashOf(token));
  }
  const own = new Map<string, Set<string>>();
  for (const [agentId, list] of Object.entries(tokens)) {
    own.set(normalizeAgentUri(agentId), hashes(list, `auth.tokens["${agentId}"]`));
  }
  return (token, { agentId }) => (own.get(agentId)?.has(hashOf(token)) ? { owner: agentId } : false);
}

function audienceOf(auth: SignalingServerAuth): string[] {
  const audience = 'audience' in auth ? (auth.audience ?? []) : [];
  const names = typeof audience === 'string' ? [audience] : audience;
  if (!Array.isArray(names)) throw new TypeError('auth.audience must be a host name or a list of them');
  return names.map((name) => {
    if (/^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(checkName(name, 'auth.audience'))) return name as string;
    throw new TypeError(`auth.audience must be 'host' or 'host:port', not ${JSON.stringify(name)}`);
  });
}

/** Addresses that only this host can reach. */
const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/i;

const warned = new Set<string>();

/**
 * Says once per process, whatever the logger, what everybody who operates a server has to know. Whoever trusts a proxy is behind
 * one, which may be there for everybody.
 */
export function warnOfExposure(address: string, behindProxy: boolean, gate: SignalingGate, logger: Logger): void {
  if (!behindProxy && isIP(address) !== 0 && LOOPBACK.test(address)) return;
  const say = (code: string, text: string) => {
    logger.warn(text, { code });
    if (warned.has(code)) return;
    warned.add(code);
    process.emitWarning(text, { type: 'SecurityWarning', code, detail: 'See docs/signaling-security.md.' });
  };
  if (gate.mode === 'open') {
    say(
      'OSSA_SIGNALING_OPEN',
      `the signaling server at ${address} can be reached from other hosts${behindProxy ? ', through a proxy,' : ''} and asks ` +
        'nobody who they are: anyone can register under any free name. Set the option auth' +
        (behindProxy ? '' : ", or listen on '127.0.0.1'"),
    );
  } else if (gate.mode !== 'bearer' && gate.audience.length === 0) {
    say(
      'OSSA_SIGNALING_AUDIENCE',
      `the signaling server at ${address} takes proofs for any host name: another server that an agent dials could use them ` +
        'here. Set auth.audience to the name under which agents dial this server',
    );
  }
}
