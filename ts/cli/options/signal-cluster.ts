// Several signaling servers as one: options of the command `signal`.
import { readFile } from 'node:fs/promises';

import type { SignalingClusterOptions } from '../../index';
import { UsageError } from '../output';
import type { Values } from '../parsing';

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
  redisCert: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_SIGNAL_REDIS_CERT',
    help: 'PEM certificate for a Redis server that asks for one; with --redis-key.',
  },
  redisKey: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_SIGNAL_REDIS_KEY',
    help: 'PEM private key.',
  },
} as const;

const pem = async (file: string | undefined) => (file === undefined ? undefined : await readFile(file, 'utf8'));

/** @throws UsageError - An option is without effect. */
export async function clusterOf({
  redis,
  redisPrefix,
  redisCa,
  redisCert,
  redisKey,
}: Values<typeof CLUSTER>): Promise<SignalingClusterOptions | undefined> {
  if (redis === undefined) {
    const others = { 'redis-prefix': redisPrefix, 'redis-ca': redisCa, 'redis-cert': redisCert, 'redis-key': redisKey };
    const given = Object.entries(others).find(([, value]) => value !== undefined)?.[0];
    if (given) throw new UsageError(`--${given} has no effect without --redis`);
    return undefined;
  }
  if ((redisCert === undefined) !== (redisKey === undefined)) {
    throw new UsageError('--redis-cert and --redis-key need each other');
  }
  const [ca, cert, key] = await Promise.all([pem(redisCa), pem(redisCert), pem(redisKey)]);
  return { redis, prefix: redisPrefix, ca, cert, key };
}
