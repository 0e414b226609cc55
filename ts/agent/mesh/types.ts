// What users of meshes and rooms give and get.
import { checkInteger, checkMembers, checkMilliseconds, type AgentError } from '../../base';
import type { CallOptions } from '../calls';
import type { Link } from '../link';
import type { AgentMessage, SendOptions } from '../messages';

/** Options of `peer.mesh` and `peer.join`; times in milliseconds. */
export interface MeshOptions {
  /** Agents besides this one that the mesh connects to, 1 to 65,535. Default: 256. */
  maxMembers?: number;
  /** Links that are set up at the same time, so that a large room does not set up all at once. Default: 8. */
  concurrency?: number;
  /** Time for one attempt to connect. Default: 30,000. */
  connectTimeout?: number;
  /** Longest delay before the first attempt to repair a link; it doubles with each one that fails. Default: 500. */
  retryDelay?: number;
  /** Longest delay between such attempts. Default: 30,000. */
  maxRetryDelay?: number;
}

/** All options, with the defaults where nothing was said. */
export type ResolvedMeshOptions = Readonly<Required<MeshOptions>>;

const OPTIONS = ['maxMembers', 'concurrency', 'connectTimeout', 'retryDelay', 'maxRetryDelay'] as const;

/** @throws TypeError - An option is unknown or out of its range. */
export function resolveMeshOptions(options: MeshOptions = {}, what: string): ResolvedMeshOptions {
  checkMembers(options, what, OPTIONS);
  return {
    // As many as a room of our server holds; every link costs memory and sockets on both sides.
    maxMembers: checkInteger(options.maxMembers ?? 256, 'maxMembers', 1, 65_535),
    concurrency: checkInteger(options.concurrency ?? 8, 'concurrency', 1, 65_535),
    connectTimeout: checkMilliseconds(options.connectTimeout ?? 30_000, 'connectTimeout'),
    retryDelay: checkMilliseconds(options.retryDelay ?? 500, 'retryDelay'),
    maxRetryDelay: checkMilliseconds(options.maxRetryDelay ?? 30_000, 'maxRetryDelay'),
  };
}

/** Options of `broadcast`. */
export interface BroadcastOptions extends SendOptions {
  /** Milliseconds to wait for members that are slow to take it. Default: 30,000. */
  timeout?: number;
}

/** What became of a broadcast at one member. */
export type Delivery =
  | { readonly member: string; readonly status: 'sent'; readonly id: string }
  | { readonly member: string; readonly status: 'failed'; readonly error: AgentError };

/** What one member answered. */
export type Answer<Result = unknown> =
  | { readonly member: string; readonly status: 'answered'; readonly result: Result }
  | { readonly member: string; readonly status: 'failed'; readonly error: AgentError };

/** Options of `send` to one member. */
export type MemberSendOptions = SendOptions;

/** Options of `call` and `callAll`. */
export type MemberCallOptions = CallOptions;

/** Events of a mesh. */
export type MeshEvents = {
  /** A member can be reached: the link to it has opened, for the first time or again. */
  join: [member: string, link: Link];
  /** A member cannot be reached any more: it has left, or its link is lost because of the error. */
  leave: [member: string, error?: AgentError];
  /** A message from a member. Messages are kept for the first listener or iterator. */
  message: [message: AgentMessage];
  /** Something went wrong that the mesh survives, for example an attempt to connect to a member. */
  problem: [error: AgentError, member?: string];
};
