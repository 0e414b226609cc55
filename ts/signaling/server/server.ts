import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

import {
  AgentError,
  checkInteger,
  checkMembers,
  nativeAgentCall,
  systemErrorInWords,
  type LogFields,
  type Logger,
} from '../../base';
import { binding } from '../../native';
import { resolveSignalingAuth, warnOfExposure } from './auth';
import type { SignalingClusterStats } from './cluster';
import { embed, embeddedUrl } from './embedding';
import {
  FRONT_OPTIONS,
  pemOf,
  resolveFront,
  type SignalingFrontOptions,
  type SignalingServerLimits,
  type SignalingTls,
} from './options';
import { listenError, type Place } from './listen-error';
import { resolveRelay, type SignalingRelayStats } from './relay';
import { resolveTurn } from './turn';

/** Options of {@link createSignalingServer}; times in milliseconds, sizes in bytes. */
export interface SignalingServerOptions extends SignalingFrontOptions, SignalingServerLimits {}

/** What a signaling server counts. */
export interface SignalingServerStats {
  /** Connected clients. */
  connections: number;
  /** Registered agents. */
  agents: number;
  /** Rooms that somebody is in. */
  rooms: number;
  /** Clients since the start. */
  totalConnections: number;
  /** Messages handed to the connection of their recipient. */
  relayed: number;
  /** Bytes of those messages. */
  relayedBytes: number;
  /** Messages whose recipient was not registered. */
  undeliverable: number;
  /** Frames and registrations refused. */
  refused: number;
  /** Clients disconnected because they did not read. */
  slowConsumers: number;
  /** Frames refused because of a rate limit. */
  rateLimited: number;
  /** Registrations whose proof or token was wrong. */
  denied: number;
  /** Connections and requests turned away before they became clients: too many, or from a page of a foreign origin. */
  turnedAway: number;
  /** Attempts to accept a connection that have failed; most often there are no file descriptors left. */
  acceptFailures: number;
  /** The relay, if the server has one. */
  relay?: SignalingRelayStats;
  /** The cluster, if the server is part of one. */
  cluster?: SignalingClusterStats;
}

/** How a signaling server is closed. */
export interface CloseSignalingServerOptions {
  /**
   * Milliseconds over which the agents are sent away, one after the other, so that they do not all come to other servers at
   * the same moment. Meanwhile `ready` answers 503 and nobody new is let in. Default: 0, all at once.
   */
  drain?: number;
}

/** A signaling server that is listening. Like a listening socket it keeps the process alive until it is closed. */
export interface SignalingServer extends AsyncDisposable {
  /**
   * Where agents on this host find it.
   *
   * @throws AgentError - `AGENT_UNREACHABLE`: the `server` that it is part of does not listen.
   */
  readonly url: string;
  /** The port listened on; 0 while the `server` that it is part of does not listen. */
  readonly port: number;
  /** Counters at this moment. */
  stats(): SignalingServerStats;
  /**
   * Uses another certificate for clients that connect from now on; those that are connected stay.
   *
   * @throws AgentError - `INVALID_MESSAGE`: not PEM, or the server was started without `tls`.
   */
  updateTls(tls: SignalingTls): void;
  /** Tells the agents, stops listening and resolves when everything is gone. Idempotent. */
  close(options?: CloseSignalingServerOptions): Promise<void>;
}

/** Open servers: one that nobody refers to any more goes on serving, like a `net.Server`. */
const open = new Set<SignalingServer>();

function log(logger: Logger, content: string): void {
  const { level, message, fields } = JSON.parse(content) as {
    level: keyof Logger;
    message: string;
    fields: Record<string, string | number | boolean | null>;
  };
  const known = Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, typeof value === 'string' ? systemErrorInWords(value) : value] as const);
  logger[level](message, Object.fromEntries(known) as LogFields);
}

/** @throws Error - As Node has them, if the system refuses. */
function listening<T>(place: Place | undefined, listen: () => T): T {
  try {
    return nativeAgentCall(listen);
  } catch (error) {
    throw listenError(error, place);
  }
}

async function addressOf(host: string, place: Place | undefined): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw listenError(error, place);
  }
}

/** Where a server that is part of another one is, at this moment. */
function embeddedAddress({ server, path = '' }: SignalingServerOptions): URL {
  const url = server && embeddedUrl(server, path);
  if (url) return url;
  throw new AgentError('AGENT_UNREACHABLE', 'the server that signaling is part of does not listen yet, or any more');
}

/**
 * Starts a signaling server in this process, on threads of its own.
 *
 * @throws Error - It cannot listen there: `code` is Node's, `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, `ENOTFOUND`, `EMFILE` and so on, with
 *   `address`, `port`, `syscall` and `errno` as with a `net.Server`; the text says what to do.
 * @throws AgentError - `INVALID_MESSAGE` if certificate and key are of no use.
 * @throws TypeError - An option is unknown or out of range.
 */
export async function createSignalingServer(options: SignalingServerOptions = {}): Promise<SignalingServer> {
  checkMembers(options, 'the options of createSignalingServer', FRONT_OPTIONS);
  const front = resolveFront(options);
  const gate = resolveSignalingAuth(options.auth, front.logger);
  const turn = resolveTurn(options.turn, gate.mode);
  const behindProxy = (options.trustProxy?.length ?? 0) > 0;
  const relay = resolveRelay(options.relay, { mode: gate.mode, embedded: options.server !== undefined, behindProxy });
  const place = options.server ? undefined : { host: front.host, port: front.native.port };
  const address = isIP(front.host) ? front.host : await addressOf(front.host, place);
  let closed!: () => void;
  const gone = new Promise<void>((resolve) => (closed = resolve));
  const onEvent = (kind: string, content: string | null | undefined): void => {
    if (kind === 'closed') closed();
    else log(front.logger, content ?? '{}');
  };
  const settings = { host: address, ...front.native, audience: gate.audience, turn, relay };
  const native = listening(place, () => new binding.SignalingServer(settings, onEvent, gate.native));
  let unmount = (): void => undefined;
  let hush = (): void => undefined;
  const close = async (drain = 0): Promise<void> => {
    native.close(drain);
    gate.close();
    await gone;
    hush();
    unmount();
    open.delete(server);
  };
  const server: SignalingServer = {
    get url() {
      return options.server ? embeddedAddress(options).href : native.url;
    },
    get port() {
      return options.server ? Number(embeddedUrl(options.server, '')?.port ?? 0) : native.port;
    },
    stats: () => native.stats() as SignalingServerStats,
    updateTls: (tls) => {
      checkMembers(tls, 'tls', ['cert', 'key']);
      const { cert, key } = pemOf(tls);
      nativeAgentCall(() => native.updateTls(cert, key));
    },
    close: async (how = {}) => {
      checkMembers(how, 'the options of close', ['drain']);
      await close(how.drain === undefined ? 0 : checkInteger(how.drain, 'drain', 0, 2 ** 31 - 1));
    },
    [Symbol.asyncDispose]: () => close(),
  };
  open.add(server);
  hush = warnWhenListening(options.server, address, (where) => warnOfExposure(where, behindProxy, gate, front.logger));
  if (options.server) {
    try {
      unmount = embed(options.server, options.path ?? '', native);
    } catch (error) {
      await close();
      throw error;
    }
  }
  return server;
}

/** A server of Node that it is part of may listen later, and more than once. Returns a function that ends it. */
function warnWhenListening(
  part: SignalingServerOptions['server'],
  address: string,
  warn: (address: string) => void,
): () => void {
  if (!part) {
    warn(address);
    return () => undefined;
  }
  const tell = () => {
    const where = part.address();
    // A Unix socket is for this host only.
    if (typeof where === 'object' && where) warn(where.address);
  };
  if (part.listening) tell();
  part.on('listening', tell);
  return () => void part.off('listening', tell);
}
