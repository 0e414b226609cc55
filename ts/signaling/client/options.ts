// What a client of signaling servers can be told.
import {
  AgentError,
  checkFunction,
  checkInteger,
  checkMembers,
  checkMilliseconds,
  checkSignal,
  nativeAgentCall,
} from '../../base';
import type { AgentKeys } from '../../identity';
import { binding } from '../../native';
import { checkCredentials, type SignalingToken } from './prover';
import { resolveProxy, type SignalingProxy } from './proxy';

/** How the registration of an agent stands. */
export interface SignalingState {
  /**
   * - `'connecting'`: an attempt has begun.
   * - `'registered'`: other agents can reach this one.
   * - `'disconnected'`: an attempt has failed or a connection was lost; the next one begins in `retryIn` milliseconds.
   * - `'closed'`: the end; `error` says why, unless the agent wanted it.
   */
  state: 'connecting' | 'registered' | 'disconnected' | 'closed';
  /** The agent. */
  agentId: string;
  /** The server concerned. */
  url: string;
  /** What happened, for people: with `'disconnected'`, and with `'closed'` after an error. */
  reason?: string;
  /** With `'disconnected'`: milliseconds until the next attempt, which may be with another server. */
  retryIn?: number;
  /** With `'closed'`: why there will be no other attempt. */
  error?: AgentError;
}

/** Options of {@link WebSocketSignaling}; times in milliseconds. */
export interface WebSocketSignalingOptions {
  /** Time for connecting and registering, each attempt. Default: 10,000. */
  connectTimeout?: number;
  /** A server that does not take something for so long counts as lost. Default: 10,000. */
  writeTimeout?: number;
  /** Silence of the server after which it is asked for a sign of life. Default: 25,000. */
  pingInterval?: number;
  /** Silence after which the connection counts as lost; longer than `pingInterval`. Default: 60,000. */
  idleTimeout?: number;
  /** Longest delay before the first reconnection; it doubles from there. Default: 250. */
  reconnectDelay?: number;
  /** Longest delay between reconnections. Default: 30,000. */
  maxReconnectDelay?: number;
  /** Attempts in a row until the first registration; each goes through all servers. Default: 5. */
  firstAttempts?: number;
  /** Attempts in a row after a loss. Default: no limit. */
  attempts?: number;
  /**
   * While another server than the first has the registration, the first is looked for every so many milliseconds, and
   * returned to. `false` stays until the connection is lost. Default: 300,000.
   */
  failBack?: number | false;
  /**
   * The proxy on the way: `http://[user:password@]host:port`, `https://` if the proxy itself speaks TLS, `socks5://`, or `socks5h://`
   * if the proxy is to look up the name of the server; `false` for none.
   * Default: what `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say, except for servers on this host.
   */
  proxy?: string | URL | false;
  /** Headers for the upgrade of a WebSocket and for every HTTP request. */
  headers?: Readonly<Record<string, string>>;
  /** Proves who the agent is where the server wants that. Default: the keys of `createPeer({auth: {keys}})`. */
  keys?: AgentKeys;
  /** For a server that wants a bearer token: the token, or a function that gives it, for every connection. */
  token?: SignalingToken;
  /** PEM certificates of authorities to trust for `wss:` and `https:` besides the operating system's. */
  ca?: string;
  /** PEM certificate to show to servers that ask for one, followed by those that lead to its authority. */
  cert?: string;
  /** PEM private key of `cert`, without a password. */
  key?: string;
  /** Ends all registrations, and those being made, when it is aborted. */
  signal?: AbortSignal;
  /** Called for every change of the registration of an agent. */
  onState?: (state: SignalingState) => void;
  /** Called when the connection is lost and will be tried again in `retryIn` milliseconds. */
  onDisconnect?: (agentId: string, reason: string, retryIn: number) => void;
  /** Called for every registration: the first, and each after a loss. */
  onRegister?: (agentId: string) => void;
}

const TIMES = [
  'connectTimeout',
  'writeTimeout',
  'pingInterval',
  'idleTimeout',
  'reconnectDelay',
  'maxReconnectDelay',
] as const;
const COUNTS = ['firstAttempts', 'attempts'] as const;
const TEXTS = ['ca', 'cert', 'key'] as const;
const CALLBACKS = ['onState', 'onDisconnect', 'onRegister'] as const;

/** What the native client takes besides the agent. */
export interface NativeSignalingOptions {
  urls: string[];
  failBack?: number;
  proxy?: SignalingProxy;
  headers?: Record<string, string>;
}

/** @throws TypeError - An option is unknown, or not of its type or range. */
export function checkSignalingOptions(
  urls: readonly string[],
  options: WebSocketSignalingOptions,
): NativeSignalingOptions {
  const other = ['keys', 'token', 'failBack', 'proxy', 'headers', 'signal'];
  checkMembers(options, 'the options of WebSocketSignaling', [...TIMES, ...COUNTS, ...TEXTS, ...CALLBACKS, ...other]);
  const native: NativeSignalingOptions & Record<string, unknown> = { urls: [...urls] };
  for (const name of TIMES) {
    if (options[name] !== undefined) native[name] = Math.ceil(checkMilliseconds(options[name], name));
  }
  for (const name of COUNTS) {
    if (options[name] !== undefined) native[name] = checkInteger(options[name], name, 1, 2 ** 32 - 1);
  }
  for (const name of TEXTS) {
    if (options[name] === undefined) continue;
    if (typeof options[name] !== 'string') throw new TypeError(`${name} must be PEM text`);
    native[name] = options[name];
  }
  for (const name of CALLBACKS) if (options[name] !== undefined) checkFunction(options[name], name);
  const { pingInterval = 25_000, idleTimeout = 60_000, failBack, headers, signal } = options;
  if (pingInterval >= idleTimeout) {
    throw new TypeError(`idleTimeout (${idleTimeout}) must be longer than pingInterval (${pingInterval})`);
  }
  if ((options.cert === undefined) !== (options.key === undefined)) throw new TypeError('cert and key need each other');
  if (failBack !== undefined)
    native.failBack = failBack === false ? 0 : Math.ceil(checkMilliseconds(failBack, 'failBack'));
  if (headers !== undefined) native.headers = checkHeaders(headers);
  checkCredentials(options);
  checkSignal(signal, 'signal');
  native.proxy = resolveProxy(options.proxy);
  checkByTheCore(native);
  return native;
}

/** What only the native core can tell: whether certificates and headers are some. */
function checkByTheCore(native: NativeSignalingOptions): void {
  try {
    nativeAgentCall(() => binding.SignalingClient.check(native));
  } catch (error) {
    if (error instanceof AgentError) throw new TypeError(error.message, { cause: error });
    throw error;
  }
}

function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw new TypeError('headers must be an object of names and values');
  }
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string') throw new TypeError(`the header ${name} must be a text`);
  }
  return { ...headers };
}

/** @throws TypeError - Not the URL of a server, or none at all. */
export function checkServers(given: string | URL | readonly (string | URL)[]): readonly string[] {
  const urls = (Array.isArray(given) ? given : [given]).map(String);
  if (urls.length === 0 || urls.length > 16) {
    throw new TypeError(`from 1 to 16 URLs of signaling servers are needed, not ${urls.length}`);
  }
  for (const url of urls) {
    if (!/^(ws|http)s?:\/\/./i.test(url)) {
      const text = `${JSON.stringify(url)} is not the URL of a signaling server (ws://, wss://, http:// or https://)`;
      throw new TypeError(text);
    }
  }
  return urls;
}
