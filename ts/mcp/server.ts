// The side that serves sessions.
import { resolveAllow } from '../agent/auth';
import { checkFunction, checkInteger, checkMembers, checkMilliseconds, checkName } from '../base';
import { AgentError, type AgentPeer, type AllowOption, type CallContext, type RemoteAgent } from '../index';
import { Doorkeeper } from '../serving';
import { checkLimits } from './session';
import { ServedSessions, type ServedOptions } from './served';
import type { McpSessionFactory } from './factory';

/** Options of {@link serveMcp}. */
export interface ServeMcpOptions {
  /** Under which clients ask for it; one agent may serve several. At most 256 bytes. Default: `'mcp'`. */
  name?: string;
  /**
   * Who may open sessions: agent URIs, patterns with `*`, a `RegExp` or a function, as the option of `createPeer`. Default: every agent whose
   * key this one was given (`how` is `'pinned'`, `'resolver'` or `'jwks'`); agents that are known from an earlier contact only (`'tofu'`) have
   * to be named here.
   */
  allow?: AllowOption;
  /** Serves agents whose names are not proven as well; then `allow` is a list of names that anybody can use. Default: false. */
  unauthenticated?: boolean;
  /** What handlers find in `authInfo.scopes`. Default: none. */
  scopes?: (caller: RemoteAgent) => readonly string[];
  /** Sessions at a time; more are refused with `RATE_LIMIT_EXCEEDED`. Default: 1,024. */
  maxSessions?: number;
  /** Sessions of one agent at a time. Default: 64. */
  maxSessionsPerAgent?: number;
  /** Requests of one session that may wait for an answer; more are answered with an error. Default: 1,024. */
  maxRequests?: number;
  /** Bytes of one message that this side takes, from 64 KiB to 256 MiB. Default: 16 MiB. */
  maxMessageBytes?: number;
  /** Milliseconds that a session without a connection is kept for its client to come back. Default: 300,000. */
  resumeTime?: number;
  /** Told of what went wrong in a session that was opened, or could not be. */
  onerror?: (error: AgentError, caller: RemoteAgent) => void;
}

/** What {@link serveMcp} gives back. */
export interface McpServing extends AsyncDisposable {
  /** Sessions that are open. */
  readonly sessions: number;
  /** Takes no more sessions and ends those that are open. Idempotent. */
  close(): Promise<void>;
}

const MEMBERS = [
  ...['name', 'allow', 'unauthenticated', 'scopes', 'maxSessions', 'maxSessionsPerAgent', 'maxRequests'],
  ...['maxMessageBytes', 'resumeTime', 'onerror'],
];

/**
 * Serves MCP to agents that have a link to `peer`, whichever side has made it. `factory` makes a server of the SDK for each session.
 *
 * @throws TypeError - An option is unknown or not valid, or the peer serves something of this name already.
 */
export function serveMcp(peer: AgentPeer, factory: McpSessionFactory, options: ServeMcpOptions = {}): McpServing {
  checkMembers(options, 'the options of serveMcp', MEMBERS);
  checkFunction(factory, 'factory');
  const { name = 'mcp', maxSessions = 1024, maxSessionsPerAgent = 64, maxRequests = 1024, scopes, onerror } = options;
  if (scopes !== undefined) checkFunction(scopes, 'scopes');
  if (onerror !== undefined) checkFunction(onerror, 'onerror');
  const doorkeeper = new Doorkeeper(resolveAllow(options.allow), options.unauthenticated);
  const served: ServedOptions = {
    factory,
    scopes: scopes ?? (() => []),
    onerror: onerror ?? (() => undefined),
    maxSessions: checkInteger(maxSessions, 'maxSessions', 1, 2 ** 24),
    maxSessionsPerAgent: checkInteger(maxSessionsPerAgent, 'maxSessionsPerAgent', 1, 2 ** 24),
    maxRequests: checkInteger(maxRequests, 'maxRequests', 1, 2 ** 24),
    maxMessageBytes: checkLimits(options.maxMessageBytes),
    resumeTime: checkMilliseconds(options.resumeTime ?? 300_000, 'resumeTime'),
  };
  const sessions = new ServedSessions(served);
  const take = peer.handle(checkName(name, 'name'), async (input: unknown, { link }: CallContext) => {
    // Asked each time: who the other side is may have been proven anew with the connection.
    await doorkeeper.admit(link.remote);
    return await sessions.open(link, input);
  });
  const close = (): Promise<void> => {
    take();
    sessions.close();
    return Promise.resolve();
  };
  return {
    get sessions() {
      return sessions.size;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
