// What a signaling server may be told at its start, and the check of it.
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';

import { checkInteger, checkLogger, checkMembers, checkName, describe, type Logger } from '../../base';
import type { SignalingServerAuth } from './auth';
import { resolveCluster, type NativeCluster, type SignalingClusterOptions } from './cluster';
import { checkNetworks, checkTexts } from './networks';
import type { SignalingRelayOptions } from './relay';
import type { SignalingTurnOptions } from './turn';

/** Certificate and key of a signaling server. */
export interface SignalingTls {
  /** The certificate, followed by those that lead to an authority that clients trust; PEM. */
  cert: string | Uint8Array;
  /** The key of the first certificate: PKCS #8, PKCS #1 or SEC1, PEM, not encrypted. */
  key: string | Uint8Array;
}

/** Limits of a signaling server; docs/signaling-operations.md has the reasons. Times in milliseconds, sizes in bytes. */
export interface SignalingServerLimits {
  /** Longest message accepted. Default: 65,536. */
  maxMessageSize?: number;
  /** Bytes that may wait for a client that does not read, which is then disconnected. Default: 262,144. */
  maxQueueBytes?: number;
  /** Agents per connection. Default: 16. */
  maxRegistrations?: number;
  /** Connections in total; more get HTTP 503. Default: 20,000. */
  maxConnections?: number;
  /** Connections of one address, of IPv6 of one /64; more get HTTP 429. Default: 1,000. */
  maxConnectionsPerAddress?: number;
  /** Connections that have not sent a whole request yet; beyond it the oldest is dropped. Default: 1,000. */
  maxHalfOpen?: number;
  /** Rooms that one agent may be in at the same time. Default: 16. */
  maxRooms?: number;
  /** Agents in one room. Default: 256. */
  maxRoomMembers?: number;
  /** Frames of one connection in a second, in the long run. Default: 500. */
  messageRate?: number;
  /** Frames of one connection at once. Default: 5,000, or `messageRate` if that is more. */
  messageBurst?: number;
  /** Rooms entered and left on one connection in a second, in the long run. Default: 10. */
  roomRate?: number;
  /** Rooms entered and left on one connection at once. Default: 512, or `roomRate` if that is more. */
  roomBurst?: number;
  /** Offers from one agent to another in a minute. Default: 60. */
  offersPerPair?: number;
  /** Candidates that one agent sends in one session after its last description. Default: 256. */
  candidatesPerSession?: number;
  /** Time for a request and for TLS, and again for the first registration. Default: 10,000. */
  handshakeTimeout?: number;
  /** Silence after which a client gets a ping. Default: 25,000. */
  pingInterval?: number;
  /** Silence after which a client is disconnected. Default: 60,000. */
  idleTimeout?: number;
  /** Time for the owner of an agent URI to answer when somebody else claims it. Default: 2,000. */
  takeoverTimeout?: number;
}

/** Where a signaling server listens, and for whom. */
export interface SignalingFrontOptions {
  /** Host name or IP address to listen on. Default: `'127.0.0.1'`, this host only. */
  host?: string;
  /** Port to listen on. Default: 0, any free one. */
  port?: number;
  /**
   * The only path that is served, `/signaling` for example, with what is below it: `/signaling/health`. Default: WebSockets at
   * every path, the rest at the root. With `server` it is required.
   */
  path?: string;
  /** Certificate and key: clients come by `wss:` and `https:`. Default: neither, `ws:` and `http:`. */
  tls?: SignalingTls;
  /**
   * A Node `http` or `https` server to be part of, instead of `host`, `port` and `tls`: everything at `path` and below goes to
   * the signaling server, without another port; everything else stays with the server's other listeners.
   */
  server?: HttpServer | HttpsServer;
  /**
   * Web pages that may use the server, by their exact origins, `'https://example.com'`; `'*'` for all. Default: pages from the
   * host that the request is for, and pages from this machine. Clients that are no web pages send no origin and are served.
   */
  origins?: '*' | readonly string[];
  /**
   * Proxies whose `X-Forwarded-For` or `Forwarded` says where clients come from: addresses and ranges, `'10.0.0.0/8'`.
   * Default: none.
   */
  trustProxy?: readonly string[];
  /**
   * A secret that lets its bearer see `metrics` and `status` (`Authorization: Bearer`), at least 16 characters. Default: none;
   * they are for clients on this machine.
   */
  adminToken?: string;
  /**
   * What agents have to show to be registered; see docs/signaling-security.md. Default: nothing, which is for development; a
   * warning says so if other hosts can reach the server.
   */
  auth?: SignalingServerAuth;
  /** TURN servers for agents that have shown who they are. */
  turn?: SignalingTurnOptions;
  /**
   * A TURN server on the same address and port, which agents get credentials for by themselves; `true` for all defaults. Default: none.
   * Needs `auth`, or `relay.allowOpen`.
   */
  relay?: boolean | SignalingRelayOptions;
  /** Threads that serve clients. Default: as many as the machine has processors, at most 4. */
  threads?: number;
  /** Other servers to be one with, through Redis. Default: none. */
  cluster?: SignalingClusterOptions;
  /** Hears what happens. Default: nobody. No secrets are logged. */
  logger?: Logger;
}

const SIZES = [
  'maxMessageSize',
  'maxQueueBytes',
  'maxRegistrations',
  'maxConnections',
  'maxConnectionsPerAddress',
  'maxHalfOpen',
  'maxRooms',
  'maxRoomMembers',
  'messageRate',
  'messageBurst',
  'roomRate',
  'roomBurst',
  'offersPerPair',
  'candidatesPerSession',
  'handshakeTimeout',
  'pingInterval',
  'idleTimeout',
  'takeoverTimeout',
] as const satisfies readonly (keyof SignalingServerLimits)[];

/** The members of both. */
export const FRONT_OPTIONS: readonly string[] = [
  'host',
  'port',
  'path',
  'tls',
  'server',
  'origins',
  'trustProxy',
  'adminToken',
  'threads',
  'cluster',
  'logger',
  'auth',
  'turn',
  'relay',
  ...SIZES,
];

type Numbers = Partial<Record<(typeof SIZES)[number], number>>;

/** Certificate and key as texts. */
export function pemOf({ cert, key }: SignalingTls): { cert: string; key: string } {
  const text = (value: unknown, what: string): string => {
    if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('utf8');
    return checkName(value, what);
  };
  return { cert: text(cert, 'tls.cert'), key: text(key, 'tls.key') };
}

function isOrigin(text: string): boolean {
  return text === '*' || text === 'null' || (URL.canParse(text) && new URL(text).origin === text.toLowerCase());
}

function checkServer(options: SignalingFrontOptions): void {
  const { server } = options;
  if (server === undefined) return;
  const parts = server as unknown as Record<string, unknown>;
  if (typeof server !== 'object' || typeof parts.emit !== 'function' || typeof parts.address !== 'function') {
    throw new TypeError(`server must be an http.Server or https.Server of Node, not ${describe(server)}`);
  }
  for (const name of ['host', 'port', 'tls'] as const) {
    if (options[name] !== undefined) throw new TypeError(`${name} belongs to the server that is given; leave it out`);
  }
  if (options.path === undefined) throw new TypeError('path is required with server: it says what is for signaling');
}

/** The options as the native server takes them. */
export interface ResolvedFront {
  readonly host: string;
  readonly logger: Logger;
  /** For the constructor of the native server, without the address. */
  readonly native: Numbers & {
    port: number;
    path?: string;
    tlsCert?: string;
    tlsKey?: string;
    origins?: string[];
    trustedProxies?: string[];
    adminToken?: string;
    threads?: number;
    cluster?: NativeCluster;
    embedded: boolean;
    log: boolean;
  };
}

/**
 * Checks the options.
 *
 * @throws TypeError - One is out of range, or does not go with another.
 */
export function resolveFront(options: SignalingFrontOptions & SignalingServerLimits): ResolvedFront {
  checkServer(options);
  const { host = '127.0.0.1', port = 0, path, tls, origins, trustProxy, adminToken, threads, logger } = options;
  checkName(host, 'host');
  checkInteger(port, 'port', 0, 65_535);
  if (path !== undefined && !/^\/[^\s?#]*$/.test(checkName(path, 'path'))) {
    throw new TypeError('path must begin with "/" and have no query, fragment or space in it');
  }
  if (options.server && path === '/')
    throw new TypeError('path must name a part of the server, "/signaling" for example');
  checkMembers(tls, 'tls', ['cert', 'key']);
  const pem = tls && pemOf(tls);
  if (adminToken !== undefined && checkName(adminToken, 'adminToken').length < 16) {
    throw new TypeError('adminToken must have at least 16 characters: it can be tried as often as anybody likes');
  }
  const numbers: Numbers = {};
  for (const name of SIZES) {
    if (options[name] !== undefined) numbers[name] = checkInteger(options[name], name, 1, 2 ** 31 - 1);
  }
  return {
    host,
    logger: checkLogger(logger),
    native: {
      ...numbers,
      port,
      path,
      tlsCert: pem?.cert,
      tlsKey: pem?.key,
      origins:
        origins === undefined || origins === '*'
          ? origins && ['*']
          : checkTexts(origins, 'origins', isOrigin, 'origins such as "https://example.com"'),
      trustedProxies: trustProxy && checkNetworks(trustProxy, 'trustProxy'),
      adminToken,
      cluster: resolveCluster(options.cluster),
      threads: threads === undefined ? undefined : checkInteger(threads, 'threads', 1, 64),
      embedded: options.server !== undefined,
      log: logger !== undefined,
    },
  };
}
