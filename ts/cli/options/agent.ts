// The options of all commands that act as an agent, and the agent they make.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import type { AgentPeer, AuthOptions, Link, PeerOptions, WebSocketSignaling } from '../../index';
import { checkingUsage, UsageError } from '../output';
import type { Context, OptionGroup, Options, Values } from '../parsing';
import { iceServersOf } from './ice';
import { secretOf } from './secret';
import { trustedKeys } from './trust';

/** How to reach others. */
export const CONNECTION = {
  signaling: {
    type: 'text',
    value: '<url>',
    multiple: true,
    env: 'OSSA_SIGNALING',
    help:
      'The signaling server, ws://host:port or wss://host; http:// and https:// work where WebSockets are blocked. Several: the ' +
      'first that can be reached is used.',
  },
  tokenFile: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_TOKEN_FILE',
    help: 'A file with the token that the signaling server wants. OSSA_TOKEN may hold the token itself.',
  },
  id: {
    type: 'text',
    value: '<uri>',
    env: 'OSSA_ID',
    help: 'The name of this agent, agent://host/path. Without it: a random one below agent://localhost.',
  },
  ice: {
    type: 'text',
    value: '<url>',
    multiple: true,
    env: 'OSSA_ICE',
    help:
      'A STUN or TURN server: stun:host, turn:user:password@host:3478?transport=tcp, turns:user:password@host. Others on ' +
      'this machine can see the arguments of a program: give passwords by the variable or by --ice-file.',
  },
  iceFile: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_ICE_FILE',
    help: 'JSON file with a list of STUN and TURN servers as in RTCConfiguration.iceServers.',
  },
  relay: { type: 'flag', help: 'Connect through TURN servers only.' },
  ca: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_CA',
    help: "PEM file of certificate authorities to trust besides the system's, for wss: and turns:.",
  },
  timeout: { type: 'duration', default: 30_000, min: 1, max: 3_600_000, help: 'Time to connect.' },
} as const satisfies Options;

/** Who is who. */
export const IDENTITY = {
  keys: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_KEYS',
    help: 'The keys of this agent, as keygen writes them: proves its name to others.',
  },
  trust: {
    type: 'text',
    value: '<uri=key>',
    multiple: true,
    env: 'OSSA_TRUST',
    help:
      'The public key of another agent: a file (PEM or JWK), or the key on one line as keygen prints it. With it, agents ' +
      'whose key is not known get no connection.',
  },
  knownKeys: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_KNOWN_KEYS',
    help: 'Trust on first use: keys of agents that were met are kept in this file, and must be the same from then on.',
  },
  allow: {
    type: 'text',
    value: '<pattern>',
    multiple: true,
    env: 'OSSA_ALLOW',
    help: 'Who may connect: a name or a pattern with * (not across /) and **. Without it: everybody.',
  },
} as const satisfies Options;

/** Both together. */
export const AGENT = { ...CONNECTION, ...IDENTITY } as const satisfies Options;

/** Their headings in the help text. */
export const AGENT_GROUPS: readonly OptionGroup[] = [
  { title: 'Connection', names: Object.keys(CONNECTION) },
  { title: 'Identity', names: Object.keys(IDENTITY) },
];

type AgentContext = Context<typeof AGENT>;

/** A name that nobody else has. */
export const randomAgentId = (): string => `agent://localhost/${randomUUID().slice(0, 13)}`;

/**
 * Makes the agent that the options describe. It registers in the background.
 *
 * @throws UsageError - An option is missing or not valid.
 */
export async function openPeer(
  { values, out }: Pick<AgentContext, 'values' | 'out'>,
  more: Partial<PeerOptions> = {},
): Promise<AgentPeer> {
  const { createPeer } = await import('../../index.js');
  const ca = values.ca === undefined ? undefined : await readText(values.ca);
  const auth = await authOf(values);
  const options: PeerOptions = {
    agentId: values.id ?? randomAgentId(),
    signaling: await signalingOf(values, ca),
    ...(await configurationOf(values, ca)),
    ...(auth ? { auth } : {}),
    ...(values.allow.length > 0 ? { allow: values.allow } : {}),
    ...(out.logger ? { logger: out.logger } : {}),
    ...more,
  };
  const peer = checkingUsage(() => createPeer(options));
  // Commands that wait for it get the error; it must not end the program meanwhile.
  peer.ready.catch(() => undefined);
  return peer;
}

/** The ICE part of an agent's configuration. */
export async function configurationOf(
  values: Pick<Values<typeof CONNECTION>, 'ice' | 'iceFile' | 'relay'>,
  ca?: string,
): Promise<Partial<PeerOptions>> {
  const iceServers = await iceServersOf(values.ice, values.iceFile);
  if (values.relay && !iceServers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/i.test(url)))) {
    throw new UsageError('--relay needs a TURN server: give --ice turn:user:password@host');
  }
  return {
    ...(iceServers.length > 0 ? { iceServers } : {}),
    ...(values.relay ? { iceTransportPolicy: 'relay' as const } : {}),
    ...(ca === undefined ? {} : { transport: { tlsCaPem: ca } }),
  };
}

/** The signaling service that the options name. */
export async function signalingOf(
  { signaling: urls, tokenFile }: Pick<Values<typeof CONNECTION>, 'signaling' | 'tokenFile'>,
  ca?: string,
): Promise<WebSocketSignaling> {
  if (urls.length === 0) {
    throw new UsageError('no signaling server: give --signaling ws://host:port, or set OSSA_SIGNALING');
  }
  const token = await secretOf('OSSA_TOKEN', tokenFile);
  const { WebSocketSignaling } = await import('../../index.js');
  const options = { ...(ca === undefined ? {} : { ca }), ...(token === undefined ? {} : { token }) };
  return checkingUsage(() => new WebSocketSignaling(urls, options));
}

async function authOf(values: Values<typeof IDENTITY>): Promise<AuthOptions | undefined> {
  const { keys: keyFile, trust, knownKeys } = values;
  if (trust.length > 0 && knownKeys !== undefined) {
    throw new UsageError(
      '--trust and --known-keys exclude each other: either only the keys given count, or the first met',
    );
  }
  if (keyFile === undefined && trust.length === 0 && knownKeys === undefined) return undefined;
  const { generateAgentKeys, KnownKeys, loadAgentKeys } = await import('../../index.js');
  // An answer proves who gave it by naming the token of the offer, so there must be one: of keys for this run only.
  const keys = keyFile === undefined ? await generateAgentKeys() : await loadAgentKeys(keyFile);
  if (knownKeys !== undefined) return { keys, mode: 'tofu', knownKeys: await KnownKeys.open(knownKeys) };
  if (trust.length > 0) return { keys, mode: 'required', pinned: await trustedKeys(trust) };
  // It proves its own name, and asks nobody for theirs.
  return { keys, mode: 'none' };
}

/** The text of a file that an option names. */
export async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8');
}

/**
 * The name of another agent, as it was given.
 *
 * @throws UsageError - It is none.
 */
export async function agentOf(text: string): Promise<string> {
  const { normalizeAgentUri } = await import('../../index.js');
  return checkingUsage(() => normalizeAgentUri(text));
}

/** Waits until others can find the agent, or the user has enough. */
export async function registered(peer: AgentPeer, signal: AbortSignal, timeout: number): Promise<void> {
  const { AgentError } = await import('../../index.js');
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new AgentError('AGENT_UNREACHABLE', 'the signaling server has not answered in time', { retryable: true }));
    }, timeout);
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    peer.ready.then(resolve, reject).finally(() => {
      clearTimeout(late);
      signal.removeEventListener('abort', stop);
    });
  });
}

/** Makes an agent, does something with it, and closes it, whatever happens. */
export async function withPeer<T>(
  context: Pick<AgentContext, 'values' | 'out'>,
  use: (peer: AgentPeer) => Promise<T>,
  more: Partial<PeerOptions> = {},
): Promise<T> {
  const peer = await openPeer(context, more);
  try {
    return await use(peer);
  } finally {
    await peer.close();
  }
}

/** Who is at the other end, for people. */
export function remoteText({ remote }: Link): string {
  return `${remote.agentId} (${remote.authenticated ? `proven: ${remote.how}` : 'name not proven'})`;
}
