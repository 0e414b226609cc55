// The option `cluster` of a signaling server: several servers as one.
import { checkInteger, checkMembers, checkName } from '../../base';

/** Several signaling servers that share agents, rooms and messages through Redis; times in milliseconds. */
export interface SignalingClusterOptions {
  /**
   * The Redis server (version 6 or later, or Valkey): `redis://[[user]:password@]host[:port][/database]`, `rediss://...` for
   * TLS, or `unix:///path`. It is never logged.
   */
  redis: string;
  /** Begins every key and channel: servers with the same one are one cluster. 1 to 64 visible ASCII characters. Default: `'ossa:'`. */
  prefix?: string;
  /** PEM certificates of authorities to trust for `rediss:`, besides the system's. */
  ca?: string;
  /** PEM certificate for a Redis server that asks for one (`tls-auth-clients`), followed by those that lead to its authority. */
  cert?: string;
  /** PEM private key of `cert`, without a password. */
  key?: string;
  /**
   * A server that Redis has not heard for so long is dead, and its agents are not registered any more. It says so three times
   * as often. Default: 10,000; at least 300.
   */
  lease?: number;
  /** Redis is lost when it does not answer for so long, or cannot be connected to in that time. Default: 2,000. */
  timeout?: number;
  /**
   * Bytes that may wait for Redis. Beyond it messages to other servers are undeliverable and registrations are refused, for
   * the moment. Default: 8,388,608.
   */
  maxQueueBytes?: number;
}

/** A cluster as one of its servers sees it. */
export interface SignalingClusterStats {
  /**
   * `connecting` until it is in the cluster for the first time; `lost` while Redis is: then it serves its own agents, and those
   * of other servers are unreachable.
   */
  state: 'connecting' | 'connected' | 'lost';
  /** Why it is lost. */
  reason?: string;
  /** Servers alive, this one included, some seconds ago. */
  nodes: number;
  /** Agents registered with all of them, some seconds ago. */
  agents: number;
  /** Times that Redis was lost since the start. */
  losses: number;
  /** Messages that Redis took for other servers. */
  sent: number;
  /** Messages that came from other servers. */
  received: number;
  /** What came from other servers and is unknown in this release: skipped. */
  unknown: number;
  /** Bytes that wait for Redis. */
  queuedBytes: number;
}

/** What the server itself is told. */
export type NativeCluster = Required<Pick<SignalingClusterOptions, 'redis' | 'prefix'>> & SignalingClusterOptions;

/** Checks the option. @throws TypeError - Without the URL, which may have a password in it. */
export function resolveCluster(cluster: SignalingClusterOptions | undefined): NativeCluster | undefined {
  if (cluster === undefined) return undefined;
  checkMembers(cluster, 'cluster', ['redis', 'prefix', 'ca', 'cert', 'key', 'lease', 'timeout', 'maxQueueBytes']);
  const { redis, prefix = 'ossa:', ca, cert, key, lease, timeout, maxQueueBytes } = cluster;
  if (typeof redis !== 'string' || !/^(rediss?|unix):\/\//.test(redis)) {
    throw new TypeError('cluster.redis must be a URL that begins with redis://, rediss:// or unix://');
  }
  if (!/^[\x21-\x7e]{1,64}$/.test(checkName(prefix, 'cluster.prefix'))) {
    throw new TypeError('cluster.prefix must have 1 to 64 visible ASCII characters');
  }
  for (const [name, pem] of Object.entries({ ca, cert, key })) if (pem !== undefined) checkName(pem, `cluster.${name}`);
  if ((cert === undefined) !== (key === undefined)) throw new TypeError('cluster.cert and cluster.key need each other');
  if (lease !== undefined) checkInteger(lease, 'cluster.lease', 300, 2 ** 31 - 1);
  if (timeout !== undefined) checkInteger(timeout, 'cluster.timeout', 1, 2 ** 31 - 1);
  if (maxQueueBytes !== undefined) checkInteger(maxQueueBytes, 'cluster.maxQueueBytes', 65_536, 2 ** 31 - 1);
  return { redis, prefix, ca, cert, key, lease, timeout, maxQueueBytes };
}
