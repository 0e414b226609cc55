import { defineCommand, type Context } from '../command';
import { Failure } from '../exit';
import { fired } from '../pause';
import { counted, duration } from '../text';

const LIMIT = { type: 'number', min: 1, max: 2 ** 31 - 1 } as const;
const SIZE = { type: 'bytes', min: 1, max: 2 ** 31 - 1 } as const;
const TIME = { type: 'duration', min: 1, max: 2 ** 31 - 1 } as const;

const LISTEN = {
  host: {
    type: 'text',
    value: '<address>',
    env: 'OSSA_SIGNAL_HOST',
    default: '127.0.0.1',
    help: 'The address to listen on; 0.0.0.0 or :: for all of this machine.',
  },
  port: {
    type: 'number',
    short: 'p',
    max: 65_535,
    env: 'OSSA_SIGNAL_PORT',
    default: 8080,
    help: 'The port to listen on; 0 for any that is free.',
  },
  path: {
    type: 'text',
    value: '</path>',
    env: 'OSSA_SIGNAL_PATH',
    help: 'The only path that is served. Without it: all.',
  },
} as const;

const LIMITS = {
  maxConnections: { ...LIMIT, env: 'OSSA_SIGNAL_MAX_CONNECTIONS', help: 'Connections in total.' },
  maxRegistrations: { ...LIMIT, env: 'OSSA_SIGNAL_MAX_REGISTRATIONS', help: 'Agents per connection.' },
  maxMessageSize: { ...SIZE, env: 'OSSA_SIGNAL_MAX_MESSAGE_SIZE', help: 'Longest message.' },
  maxQueueBytes: {
    ...SIZE,
    env: 'OSSA_SIGNAL_MAX_QUEUE_BYTES',
    help: 'What may wait for a client that does not read, which is then disconnected.',
  },
  maxRooms: { ...LIMIT, env: 'OSSA_SIGNAL_MAX_ROOMS', help: 'Rooms per agent.' },
  maxRoomMembers: { ...LIMIT, env: 'OSSA_SIGNAL_MAX_ROOM_MEMBERS', help: 'Agents in one room.' },
  handshakeTimeout: {
    ...TIME,
    env: 'OSSA_SIGNAL_HANDSHAKE_TIMEOUT',
    help: 'Time for the upgrade, and for the first registration.',
  },
  pingInterval: { ...TIME, env: 'OSSA_SIGNAL_PING_INTERVAL', help: 'Silence after which a client gets a ping.' },
  idleTimeout: { ...TIME, env: 'OSSA_SIGNAL_IDLE_TIMEOUT', help: 'Silence after which a client is disconnected.' },
  takeoverTimeout: {
    ...TIME,
    env: 'OSSA_SIGNAL_TAKEOVER_TIMEOUT',
    help: 'Time for the owner of a name to answer when somebody else claims it.',
  },
} as const;

const OPTIONS = {
  ...LISTEN,
  stats: { type: 'duration', min: 100, max: 86_400_000, help: 'Print counters as often as this.' },
  ...LIMITS,
} as const;

type SignalContext = Context<typeof OPTIONS>;

export const signal = defineCommand({
  name: 'signal',
  summary: 'Run a signaling server, where agents find each other',
  description:
    'Runs a signaling server until Ctrl-C or SIGTERM: then it tells the agents, stops listening and ends with 0; a second ' +
    'signal ends it at once. It listens on this machine only, unless --host says otherwise. Whoever comes first has a name: ' +
    'let it listen where you trust the network, or behind a proxy. All settings can be given by environment variables as well.',
  positionals: [],
  options: OPTIONS,
  groups: [{ title: 'Limits (defaults in docs/signaling.md)', names: Object.keys(LIMITS) }],
  examples: [
    ['signal', 'For agents on this machine, at ws://127.0.0.1:8080'],
    ['signal --host 0.0.0.0 --port 9000 --json', 'For the local network; events as JSON'],
  ],
  endsBySignal: true,
  async run(context) {
    const { values, out, signal: stop } = context;
    const { createSignalingServer } = await import('../../index.js');
    const { host, port, path } = values;
    const limits = Object.fromEntries(
      Object.keys(LIMITS).flatMap((name) => {
        const value = values[name as keyof typeof LIMITS];
        return value === undefined ? [] : [[name, value]];
      }),
    );
    if (path !== undefined && !path.startsWith('/'))
      throw new Failure(`--path must begin with "/", not "${path}"`, 2, 'USAGE');
    const server = await createSignalingServer({ host, port, ...(path === undefined ? {} : { path }), ...limits });
    out.result(
      { type: 'listening', url: server.url, port: server.port, pid: process.pid },
      `listening on ${server.url}`,
    );
    const counting = countEvery(context, () => ({ ...server.stats() }));
    await fired(stop);
    clearInterval(counting);
    const { agents, relayed, totalConnections } = server.stats();
    const started = performance.now();
    out.info(`stopping; ${counted(agents, 'agent')} will be told`, { type: 'stopping', agents });
    await server.close();
    const time = performance.now() - started;
    out.result(
      { type: 'stopped', relayed, totalConnections, time },
      `stopped after ${duration(time)}; ${counted(totalConnections, 'connection')}, ${counted(relayed, 'message')} relayed`,
    );
  },
});

function countEvery({ values, out }: SignalContext, stats: () => Record<string, number>): NodeJS.Timeout | undefined {
  if (values.stats === undefined) return undefined;
  const show = () => {
    const counters = stats();
    const text = Object.entries(counters).map(([name, count]) => `${name}=${count}`);
    out.result({ type: 'stats', ...counters }, text.join(' '));
  };
  return setInterval(show, values.stats);
}
