import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

import { binding } from '../native/loader';
import { nativeAgentCall } from './errors';
import { checkInteger, checkMembers, checkName } from './options';

/** Options of {@link createSignalingServer}; times in milliseconds, sizes in bytes. */
export interface SignalingServerOptions {
  /** Host name or IP address to listen on. Default: `'127.0.0.1'`, this host only. */
  host?: string;
  /** Port to listen on. Default: 0, any free one. */
  port?: number;
  /** The only path that is served, `/signaling` for example. Default: all. */
  path?: string;
  /** Longest message accepted. Default: 65,536. */
  maxMessageSize?: number;
  /** Bytes that may wait for a client that does not read, which is then disconnected. Default: 262,144. */
  maxQueueBytes?: number;
  /** Agents per connection. Default: 16. */
  maxRegistrations?: number;
  /** Connections in total. Default: 20,000. */
  maxConnections?: number;
  /** Rooms that one agent may be in at the same time. Default: 16. */
  maxRooms?: number;
  /** Agents in one room. Default: 256. */
  maxRoomMembers?: number;
  /** Time for the upgrade, and again for the first registration. Default: 10,000. */
  handshakeTimeout?: number;
  /** Silence after which a client gets a ping. Default: 25,000. */
  pingInterval?: number;
  /** Silence after which a client is disconnected. Default: 60,000. */
  idleTimeout?: number;
  /** Time for the owner of an agent URI to answer when somebody else claims it. Default: 2,000. */
  takeoverTimeout?: number;
}

/** What a signaling server counts. */
export interface SignalingServerStats {
  /** Open connections. */
  connections: number;
  /** Registered agents. */
  agents: number;
  /** Rooms that somebody is in. */
  rooms: number;
  /** Connections since the start. */
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
}

/** A signaling server that is listening. Like a listening socket it keeps the process alive until it is closed. */
export interface SignalingServer extends AsyncDisposable {
  /** Where agents on this host find it. */
  readonly url: string;
  /** The port listened on. */
  readonly port: number;
  /** Counters at this moment. */
  stats(): SignalingServerStats;
  /** Tells the agents, stops listening and resolves when everything is gone. Idempotent. */
  close(): Promise<void>;
}

const SIZES = [
  'maxMessageSize',
  'maxQueueBytes',
  'maxRegistrations',
  'maxConnections',
  'maxRooms',
  'maxRoomMembers',
] as const;
const TIMES = ['handshakeTimeout', 'pingInterval', 'idleTimeout', 'takeoverTimeout'] as const;

/** Open servers: one that nobody refers to any more goes on serving, like a `net.Server`. */
const open = new Set<SignalingServer>();

/**
 * Starts a signaling server in this process.
 *
 * @throws AgentError - `AGENT_UNREACHABLE` if it cannot listen there.
 * @throws TypeError - An option is unknown or out of range.
 */
export async function createSignalingServer(options: SignalingServerOptions = {}): Promise<SignalingServer> {
  checkMembers(options, 'the options of createSignalingServer', ['host', 'port', 'path', ...SIZES, ...TIMES]);
  const { host = '127.0.0.1', port = 0, path } = options;
  checkName(host, 'host');
  checkInteger(port, 'port', 0, 65_535);
  if (path !== undefined && !checkName(path, 'path').startsWith('/')) throw new TypeError('path must begin with "/"');
  const given: Partial<Record<(typeof SIZES | typeof TIMES)[number], number>> = {};
  for (const name of [...SIZES, ...TIMES]) {
    if (options[name] !== undefined) given[name] = checkInteger(options[name], name, 1, 2 ** 31 - 1);
  }
  const address = isIP(host) ? host : (await lookup(host)).address;
  let closed!: () => void;
  const gone = new Promise<void>((resolve) => (closed = resolve));
  const native = nativeAgentCall(
    () => new binding.SignalingServer({ host: address, port, path, ...given }, () => closed()),
  );
  const server: SignalingServer = {
    url: native.url,
    port: native.port,
    stats: () => native.stats(),
    close: async () => {
      native.close();
      await gone;
      open.delete(server);
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
  open.add(server);
  return server;
}
