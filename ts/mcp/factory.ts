// Who makes the servers of sessions.
import type { RemoteAgent } from '../index';
import type { McpTransport } from './transport';

/** A `Server` or `McpServer` of the SDK, or a `Client`. */
export interface McpServerLike {
  connect(transport: McpTransport): Promise<void>;
}

/**
 * Makes the server of one session, for the agent that has opened it. It may also connect one to `transport` itself and return nothing.
 * What it throws refuses the session.
 */
export type McpSessionFactory = (
  caller: RemoteAgent,
  transport: McpTransport,
) => McpServerLike | void | Promise<McpServerLike | void>;
