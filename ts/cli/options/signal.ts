// The options of the command `signal`, and the server that they describe.
import { readFile } from 'node:fs/promises';

import type { Logger, SignalingServerOptions, SignalingTls } from '../../index';
import { UsageError } from '../output';
import type { OptionGroup, Values } from '../parsing';
import { secretOf } from './secret';
import { AUTH, authOf, TURN, turnOf } from './signal-auth';
import { CLUSTER, clusterOf } from './signal-cluster';
import { RELAY, relayOf } from './signal-relay';

const LIMIT = { type: 'number', min: 1, max: 2 ** 31 - 1 } as const;
const SIZE = { type: 'bytes', min: 1, max: 2 ** 31 - 1 } as const;
const TIME = { type: 'duration', min: 1, max: 2 ** 31 - 1 } as const;

const LISTEN = {
  host: {
    type: 'text',
    value: '<address>',
    env: 'OSSA_SIGNAL_HOST',
    default: '127.0.0.1',
    help: 'The address to listen on; 0.0.0.0 or :: for all of this machine.',
  },
  port: {
    type: 'number',
    short: 'p',
    max: 65_535,
    env: 'OSSA_SIGNAL_PORT',
    default: 8080,
    help: 'The port to listen on; 0 for any that is free.',
  },
  path: {
    type: 'text',
    value: '</path>',
    env: 'OSSA_SIGNAL_PATH',
    help: 'The only path that is served. Without it: all.',
  },
  tlsCert: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_SIGNAL_TLS_CERT',
    help: 'Certificate chain, PEM: agents come by wss:. Read again on SIGHUP.',
  },
  tlsKey: { type: 'text', value: '<file>', env: 'OSSA_SIGNAL_TLS_KEY', help: 'The key of the certificate, PEM.' },
  origin: {
    type: 'text',
    value: '<origin>',
    multiple: true,
    env: 'OSSA_SIGNAL_ORIGINS',
    help: 'Web pages that may use the server, https://example.com, or * for all. Without it: those of the same host.',
  },
  trustProxy: {
    type: 'text',
    value: '<address>',
    multiple: true,
    env: 'OSSA_SIGNAL_TRUST_PROXY',
    help: 'A proxy, address or range (10.0.0.0/8), that says in its headers where clients come from.',
  },
  adminTokenFile: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_SIGNAL_ADMIN_TOKEN_FILE',
    help:
      'A file with a token that lets others than this machine see metrics and status. OSSA_SIGNAL_ADMIN_TOKEN may hold the token ' +
      'itself.',
  },
  threads: { type: 'number', min: 1, max: 64, env: 'OSSA_SIGNAL_THREADS', help: 'Threads that serve clients.' },
  drain: {
    type: 'duration',
    max: 3_600_000,
    env: 'OSSA_SIGNAL_DRAIN',
    default: 5000,
    help: 'At the end, agents are sent away over this time, so that not all come to other servers at once.',
  },
} as const;

const LIMITS = {
  maxConnections: { ...LIMIT, env: 'OSSA_SIGNAL_MAX_CONNECTIONS', help: 'Connections in total.' },
  maxConnectionsPerAddress: {
    ...LIMIT,
    env: 'OSSA_SIGNAL_MAX_CONNECTIONS_PER_ADDRESS',
    help: 'Connections of one address.',
  },
  maxHalfOpen: { ...LIMIT, env: 'OSSA_SIGNAL_MAX_HALF_OPEN', help: 'Connections without a whole request yet.' },
  maxRegistrations: { ...LIMIT, env: 'OSSA_SIGNAL_MAX_REGISTRATIONS', help: 'Agents per connection.' },
  maxMessageSize: { ...SIZE, env: 'OSSA_SIGNAL_MAX_MESSAGE_SIZE', help: 'Longest message.' },
  maxQueueBytes: {
    ...SIZE,
    env: 'OSSA_SIGNAL_MAX_QUEUE_BYTES',
    help: 'What may wait for a client that does not read, which is then disconnected.',
  },
  maxRooms: { ...LIMIT, env: 'OSSA_SIGNAL_MAX_ROOMS', help: 'Rooms per agent.' },
  maxRoomMembers: { ...LIMIT, env: 'OSSA_SIGNAL_MAX_ROOM_MEMBERS', help: 'Agents in one room.' },
  messageRate: { ...LIMIT, env: 'OSSA_SIGNAL_MESSAGE_RATE', help: 'Frames of a connection in a second.' },
  messageBurst: { ...LIMIT, env: 'OSSA_SIGNAL_MESSAGE_BURST', help: 'Frames of a connection at once.' },
  roomRate: { ...LIMIT, env: 'OSSA_SIGNAL_ROOM_RATE', help: 'Rooms entered and left in a second.' },
  roomBurst: { ...LIMIT, env: 'OSSA_SIGNAL_ROOM_BURST', help: 'Rooms entered and left at once.' },
  offersPerPair: {
    ...LIMIT,
    env: 'OSSA_SIGNAL_OFFERS_PER_PAIR',
    help: 'Offers from one agent to another in a minute.',
  },
  candidatesPerSession: { ...LIMIT, env: 'OSSA_SIGNAL_CANDIDATES_PER_SESSION', help: 'Candidates of one session.' },
  handshakeTimeout: {
    ...TIME,
    env: 'OSSA_SIGNAL_HANDSHAKE_TIMEOUT',
    help: 'Time for a request, and for the first registration.',
  },
  pingInterval: { ...TIME, env: 'OSSA_SIGNAL_PING_INTERVAL', help: 'Silence after which a client gets a ping.' },
  idleTimeout: { ...TIME, env: 'OSSA_SIGNAL_IDLE_TIMEOUT', help: 'Silence after which a client is disconnected.' },
  takeoverTimeout: {
    ...TIME,
    env: 'OSSA_SIGNAL_TAKEOVER_TIMEOUT',
    help: 'Time for the owner of a name to answer when somebody else claims it.',
  },
} as const;

/** All of them. */
export const SIGNAL = { ...LISTEN, ...AUTH, ...RELAY, ...TURN, ...CLUSTER, ...LIMITS } as const;

/** Their headings in the help text. */
export const SIGNAL_GROUPS: readonly OptionGroup[] = [
  { title: 'Who may come', names: Object.keys(AUTH) },
  { title: 'Relay', names: Object.keys(RELAY) },
  { title: 'TURN servers for the agents', names: Object.keys(TURN) },
  { title: 'Cluster', names: Object.keys(CLUSTER) },
  { title: 'Limits (defaults in docs/signaling.md)', names: Object.keys(LIMITS) },
];

type SignalValues = Values<typeof SIGNAL>;

/**
 * The options of the server.
 *
 * @throws UsageError - Options contradict each other, or one lacks another.
 */
export async function serverOptions(
  values: SignalValues,
  env: NodeJS.ProcessEnv,
  logger: Logger,
): Promise<SignalingServerOptions> {
  const { host, port, path, origin, trustProxy, adminTokenFile, threads } = values;
  const adminToken = await secretOf('OSSA_SIGNAL_ADMIN_TOKEN', adminTokenFile, env);
  const options: SignalingServerOptions = {
    host,
    port,
    path,
    threads,
    adminToken,
    logger,
    tls: await tlsOf(values),
    auth: await authOf(values),
    relay: await relayOf(values, env),
    turn: await turnOf(values, env),
    cluster: await clusterOf(values),
    ...(origin.length > 0 ? { origins: origin.includes('*') ? '*' : origin } : {}),
    ...(trustProxy.length > 0 ? { trustProxy } : {}),
  };
  for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) options[name] = values[name];
  // What was not given is left out: `undefined` is a value of some options.
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Certificate and key, if the server has them. */
export async function tlsOf({ tlsCert, tlsKey }: SignalValues): Promise<SignalingTls | undefined> {
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new UsageError('--tls-cert and --tls-key need each other');
  if (tlsCert === undefined) return undefined;
  const [cert, key] = await Promise.all([readFile(tlsCert, 'utf8'), readFile(tlsKey!, 'utf8')]);
  return { cert, key };
}
