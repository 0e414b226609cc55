// The TURN server of a signaling server: options of the command `signal`.
import type { SignalingRelayOptions } from '../../index';
import { UsageError } from '../output';
import { flagOf, type Values } from '../parsing';
import { secretOf } from './secret';

const LIMIT = { type: 'number', min: 1, max: 2 ** 31 - 1 } as const;
const BANDWIDTH = { type: 'bytes', min: 1, max: Number.MAX_SAFE_INTEGER } as const;

/** The relay. */
export const RELAY = {
  relay: {
    type: 'flag',
    env: 'OSSA_SIGNAL_RELAY',
    help: 'Be a TURN server as well: UDP, TCP and, with a certificate, TLS on the same port. Agents get credentials by themselves.',
  },
  relayHost: {
    type: 'text',
    value: '<host>',
    env: 'OSSA_SIGNAL_RELAY_HOST',
    help: 'The host, or host:port, that agents find it by. Without it: what they have dialled for signaling.',
  },
  relayAddress: {
    type: 'text',
    value: '<address>',
    multiple: true,
    env: 'OSSA_SIGNAL_RELAY_ADDRESSES',
    help: 'The address to relay from, one of each family at most. Without it: the one that the agent has reached.',
  },
  relayAnnounce: {
    type: 'text',
    value: '<address>',
    multiple: true,
    env: 'OSSA_SIGNAL_RELAY_ANNOUNCE',
    help: 'Behind a 1:1 NAT: what that address is called outside.',
  },
  relayPorts: {
    type: 'text',
    value: '<first-last>',
    env: 'OSSA_SIGNAL_RELAY_PORTS',
    help: 'The UDP ports to relay from, 49152-65535 without it.',
  },
  relayAllowPeer: {
    type: 'text',
    value: '<address>',
    multiple: true,
    env: 'OSSA_SIGNAL_RELAY_ALLOW_PEERS',
    help: 'An address or range (10.0.0.0/8) that may be reached although it is private, or on this machine.',
  },
  relayDenyPeer: {
    type: 'text',
    value: '<address>',
    multiple: true,
    env: 'OSSA_SIGNAL_RELAY_DENY_PEERS',
    help: 'An address or range that may not be reached.',
  },
  relaySecretFile: {
    type: 'text',
    value: '<file>',
    env: 'OSSA_SIGNAL_RELAY_SECRET_FILE',
    help:
      'A file with the secret that credentials are made with, so that they outlive a restart. OSSA_SIGNAL_RELAY_SECRET may hold ' +
      'the secret itself. Without it: a random one.',
  },
  relayTtl: {
    type: 'duration',
    min: 1000,
    max: 604_800_000,
    env: 'OSSA_SIGNAL_RELAY_TTL',
    help: 'How long credentials are good.',
  },
  relayUsername: {
    type: 'text',
    choices: ['hash', 'uri'],
    env: 'OSSA_SIGNAL_RELAY_USERNAME',
    help: 'What events show of the agent.',
  },
  relayAllowOpen: {
    type: 'flag',
    env: 'OSSA_SIGNAL_RELAY_ALLOW_OPEN',
    help: 'Let everybody relay, although the server is open.',
  },
  relayMaxAllocations: { ...LIMIT, env: 'OSSA_SIGNAL_RELAY_MAX_ALLOCATIONS', help: 'Allocations in total.' },
  relayMaxAllocationsPerAgent: {
    ...LIMIT,
    env: 'OSSA_SIGNAL_RELAY_MAX_ALLOCATIONS_PER_AGENT',
    help: 'Allocations of one agent.',
  },
  relayMaxAllocationsPerAddress: {
    ...LIMIT,
    env: 'OSSA_SIGNAL_RELAY_MAX_ALLOCATIONS_PER_ADDRESS',
    help: 'Allocations of one address.',
  },
  relayMaxLifetime: {
    type: 'duration',
    min: 1000,
    max: (2 ** 31 - 1) * 1000,
    env: 'OSSA_SIGNAL_RELAY_MAX_LIFETIME',
    help: 'How long an allocation lives at most without a refresh.',
  },
  relayBandwidth: { ...BANDWIDTH, env: 'OSSA_SIGNAL_RELAY_BANDWIDTH', help: 'What is relayed in a second in total.' },
  relayBandwidthPerAgent: {
    ...BANDWIDTH,
    env: 'OSSA_SIGNAL_RELAY_BANDWIDTH_PER_AGENT',
    help: 'What is relayed in a second for one agent.',
  },
  relayBandwidthPerAddress: {
    ...BANDWIDTH,
    env: 'OSSA_SIGNAL_RELAY_BANDWIDTH_PER_ADDRESS',
    help: 'What is relayed in a second for one address.',
  },
} as const;

type RelayValues = Values<typeof RELAY>;

/** @throws UsageError - An option has no effect without `--relay`, or is not one. */
export async function relayOf(values: RelayValues, env: NodeJS.ProcessEnv): Promise<SignalingRelayOptions | undefined> {
  const isGiven = (value: unknown) =>
    Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
  if (!values.relay) {
    const given = (Object.keys(RELAY) as (keyof typeof RELAY)[]).find((name) => isGiven(values[name]));
    if (given) throw new UsageError(`--${flagOf(given)} has no effect without --relay`);
    return undefined;
  }
  const seconds = (time: number | undefined) => (time === undefined ? undefined : Math.round(time / 1000));
  const some = (list: readonly string[]) => (list.length > 0 ? list : undefined);
  const options: SignalingRelayOptions = {
    secret: await secretOf('OSSA_SIGNAL_RELAY_SECRET', values.relaySecretFile, env),
    ttl: seconds(values.relayTtl),
    username: values.relayUsername as 'hash' | 'uri' | undefined,
    allowOpen: values.relayAllowOpen || undefined,
    host: values.relayHost,
    addresses: some(values.relayAddress),
    announce: some(values.relayAnnounce),
    ports: portsOf(values.relayPorts),
    allowPeers: some(values.relayAllowPeer),
    denyPeers: some(values.relayDenyPeer),
    maxAllocations: values.relayMaxAllocations,
    maxAllocationsPerAgent: values.relayMaxAllocationsPerAgent,
    maxAllocationsPerAddress: values.relayMaxAllocationsPerAddress,
    maxLifetime: seconds(values.relayMaxLifetime),
    bandwidth: values.relayBandwidth,
    bandwidthPerAgent: values.relayBandwidthPerAgent,
    bandwidthPerAddress: values.relayBandwidthPerAddress,
  };
  // What was not given is left out: `undefined` is no value of these.
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function portsOf(text: string | undefined): [number, number] | undefined {
  if (text === undefined) return undefined;
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? [];
  if (first === undefined || last === undefined) {
    throw new UsageError(`--relay-ports must be the first and the last port, 49152-65535, not ${text}`);
  }
  return [Number(first), Number(last)];
}
