// Several signaling servers as one: options of the command `signal`.
import { readFile } from 'node:fs/promises';

import type { SignalingClusterOptions } from '../index';
import type { Values } from './command';
import { UsageError } from './exit';

/** Where the others are found. */
export const CLUSTER = {
  redis: {
    type: 'text',
    value: '<url>',
    env: 'OSSA_SIGNAL_REDIS',
    help: 'Be one of several servers that share agents and rooms through this Redis. A URL with a password belongs into the variable.',
  },
  redisPrefix: {
    type: 'text',
    value: '<text>',
    env: 'OSSA_SIGNAL_REDIS_PREFIX',
    help: 'Servers with the same prefix are one cluster.',
  },
  redisCa: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_SIGNAL_REDIS_CA',
    help: 'PEM of authorities to trust for rediss:.',
  },
} as const;

/** @throws UsageError - An option is without effect. */
export async function clusterOf({
  redis,
  redisPrefix,
  redisCa,
}: Values<typeof CLUSTER>): Promise<SignalingClusterOptions | undefined> {
  if (redis === undefined) {
    const given = redisPrefix !== undefined ? 'redis-prefix' : redisCa !== undefined ? 'redis-ca' : undefined;
    if (given) throw new UsageError(`--${given} has no effect without --redis`);
    return undefined;
  }
  return {
    redis,
    ...(redisPrefix === undefined ? {} : { prefix: redisPrefix }),
    ...(redisCa === undefined ? {} : { ca: await readFile(redisCa, 'utf8') }),
  };
}
