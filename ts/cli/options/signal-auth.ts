// Who may come to a signaling server, and the TURN servers that it hands out: options of the command `signal`.
import { readFile } from 'node:fs/promises';

import type { SignalingServerAuth, SignalingTurnOptions } from '../../index';
import { UsageError } from '../output';
import { flagOf, type Values } from '../parsing';
import { secretOf } from './secret';
import { trustedKeys } from './trust';

/** What agents have to show. */
export const AUTH = {
  auth: {
    type: 'text',
    choices: ['open', 'tofu', 'keys', 'bearer'],
    default: 'open',
    env: 'OSSA_SIGNAL_AUTH',
    help:
      'What agents have to show. open: nothing, for development. tofu: a name belongs to the first key. keys: a key that is ' +
      'known as theirs (--trust, --jwks). bearer: a token (--tokens-file).',
  },
  trust: {
    type: 'text',
    value: '<uri=key>',
    multiple: true,
    env: 'OSSA_SIGNAL_TRUST',
    help: 'The public key of an agent: a file (PEM or JWK), or the key on one line as keygen prints it.',
  },
  jwks: { type: 'text', value: '<url>', env: 'OSSA_SIGNAL_JWKS', help: 'https: URL of a published set of keys.' },
  tokensFile: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_SIGNAL_TOKENS_FILE',
    help: 'JSON: a list of tokens that are good for every name, or an object with the token (or list of them) of each agent.',
  },
  audience: {
    type: 'text',
    value: '<name>',
    multiple: true,
    env: 'OSSA_SIGNAL_AUDIENCE',
    help: 'The host, or host:port, under which agents dial this server; their proofs have to be made for it.',
  },
  tofuRetention: {
    type: 'duration',
    min: 1,
    max: 2 ** 31 - 1,
    env: 'OSSA_SIGNAL_TOFU_RETENTION',
    help: "tofu: how long a name stays its owner's.",
  },
  tofuCapacity: {
    type: 'number',
    min: 1,
    max: 10_000_000,
    env: 'OSSA_SIGNAL_TOFU_CAPACITY',
    help: 'tofu: names that are remembered.',
  },
} as const;

/** TURN servers. */
export const TURN = {
  turn: {
    type: 'text',
    value: '<url>',
    multiple: true,
    env: 'OSSA_SIGNAL_TURN',
    help: 'A TURN server for the agents, turn:host or turns:host, whose passwords are made with a shared secret.',
  },
  turnSecretFile: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_SIGNAL_TURN_SECRET_FILE',
    help: 'A file with the static-auth-secret of the TURN servers. OSSA_SIGNAL_TURN_SECRET may hold the secret itself.',
  },
  turnTtl: {
    type: 'duration',
    min: 1000,
    max: 604_800_000,
    env: 'OSSA_SIGNAL_TURN_TTL',
    help: 'How long passwords are valid.',
  },
  turnUsername: {
    type: 'text',
    choices: ['hash', 'uri'],
    env: 'OSSA_SIGNAL_TURN_USERNAME',
    help: 'What the logs of the TURN servers show of the agent.',
  },
  turnAllowOpen: {
    type: 'flag',
    env: 'OSSA_SIGNAL_TURN_ALLOW_OPEN',
    help: 'Let everybody use the TURN servers, although the server is open.',
  },
} as const;

/** Options that are for one mode only must not be without effect in another. */
const FOR_MODE = {
  open: [],
  tofu: ['tofuRetention', 'tofuCapacity', 'audience'],
  keys: ['trust', 'jwks', 'audience'],
  bearer: ['tokensFile'],
} as const;

/** @throws UsageError - Options contradict each other, or one lacks another. */
export async function authOf(values: Values<typeof AUTH>): Promise<SignalingServerAuth | undefined> {
  const mode = values.auth as keyof typeof FOR_MODE;
  for (const name of new Set(Object.values(FOR_MODE).flat())) {
    const value = values[name];
    const given = Array.isArray(value) ? value.length > 0 : value !== undefined;
    if (given && !(FOR_MODE[mode] as readonly string[]).includes(name)) {
      throw new UsageError(`--${flagOf(name)} has no effect with --auth ${mode}`);
    }
  }
  const audience = values.audience.length > 0 ? { audience: values.audience } : {};
  switch (mode) {
    case 'open':
      return undefined;
    case 'tofu': {
      const { tofuRetention: retention, tofuCapacity: capacity } = values;
      return { mode, ...audience, ...(retention && { retention }), ...(capacity && { capacity }) };
    }
    case 'keys': {
      const { trust, jwks } = values;
      if (trust.length === 0 && jwks === undefined) throw new UsageError('--auth keys needs --trust or --jwks');
      const pinned = trust.length > 0 ? { pinned: await trustedKeys(trust) } : {};
      return { mode, ...audience, ...pinned, ...(jwks === undefined ? {} : { jwks }) };
    }
    case 'bearer':
      if (values.tokensFile === undefined) throw new UsageError('--auth bearer needs --tokens-file');
      return { mode, tokens: await tokensOf(values.tokensFile) };
  }
}

async function tokensOf(file: string): Promise<string[] | Record<string, string | string[]>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as string[] | Record<string, string | string[]>;
  } catch (error) {
    // The error of JSON.parse may quote a token.
    if (error instanceof SyntaxError) throw new UsageError(`${file} is not JSON`);
    throw error;
  }
}

/** @throws UsageError - Options contradict each other, or one lacks another. */
export async function turnOf(
  values: Values<typeof TURN>,
  env: NodeJS.ProcessEnv,
): Promise<SignalingTurnOptions | undefined> {
  const { turn: urls, turnSecretFile, turnTtl, turnUsername, turnAllowOpen } = values;
  if (urls.length === 0) {
    const other = { turnSecretFile, turnTtl, turnUsername, turnAllowOpen: turnAllowOpen || undefined };
    const given = Object.entries(other).find(([, value]) => value !== undefined);
    if (given) throw new UsageError(`--${flagOf(given[0])} has no effect without --turn`);
    return undefined;
  }
  const shared = await secretOf('OSSA_SIGNAL_TURN_SECRET', turnSecretFile, env);
  if (shared === undefined)
    throw new UsageError('--turn needs --turn-secret-file or the variable OSSA_SIGNAL_TURN_SECRET');
  return {
    urls,
    secret: shared,
    ...(turnTtl === undefined ? {} : { ttl: Math.round(turnTtl / 1000) }),
    ...(turnUsername === undefined ? {} : { username: turnUsername as 'hash' | 'uri' }),
    ...(turnAllowOpen ? { allowOpen: true } : {}),
  };
}
