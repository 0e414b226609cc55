import type { LogFields, Logger, SignalingServer } from '../../index';
import { serverOptions, SIGNAL, SIGNAL_GROUPS, tlsOf } from '../options';
import { checkingUsage, counted, duration, harmless, type Output } from '../output';
import { defineCommand, type Context } from '../parsing';
import { fired } from './pause';
import { tellServiceManager } from './service-manager';

const OPTIONS = {
  ...SIGNAL,
  stats: { type: 'duration', min: 100, max: 86_400_000, help: 'Print counters as often as this.' },
} as const;

/** What closing takes at most besides the drain, in milliseconds; a service manager that waits less would cut the drain off. */
const LAST_WORDS = 10_000;

type SignalContext = Context<typeof OPTIONS>;

export const signal = defineCommand({
  name: 'signal',
  summary: 'Run a signaling server, where agents find each other',
  description:
    'Runs a signaling server until Ctrl-C or SIGTERM: then it sends the agents away, stops listening and ends with 0; a second ' +
    'signal ends it at once. It listens on this machine only, unless --host says otherwise, and asks nobody for a proof of his ' +
    'name, unless --auth says otherwise. All settings can be given by environment variables as well; secrets come from files or ' +
    'variables only. Below its path it has /health, /ready, /metrics and /status.',
  positionals: [],
  options: OPTIONS,
  groups: SIGNAL_GROUPS,
  examples: [
    ['signal', 'For agents on this machine, at ws://127.0.0.1:8080'],
    ['signal --host 0.0.0.0 --auth tofu --tls-cert cert.pem --tls-key key.pem --port 443', 'For the internet'],
    ['signal --redis redis://10.0.0.5 --json', 'One of several servers; events as JSON'],
  ],
  endsBySignal: true,
  async run(context) {
    const { values, out, signal: stop } = context;
    const { createSignalingServer } = await import('../../index.js');
    const options = await serverOptions(values, process.env, logger(out));
    muteOwnWarnings();
    // Its check of the options is the first thing that it does; what fails later has another class.
    const server = await createSignalingServer(options).catch((error: unknown) => checkingUsage(() => raise(error)));
    const { url, port } = server;
    const auth = values.auth;
    out.result({ type: 'listening', url, port, auth, pid: process.pid }, `listening on ${url}`);
    await tellServiceManager(out, { READY: 1, STATUS: `listening on ${url}` });
    const counting = countEvery(context, server);
    const reload = () => void reloadTls(context, server);
    if (process.platform !== 'win32') process.on('SIGHUP', reload);
    await fired(stop);
    clearInterval(counting);
    process.off('SIGHUP', reload);
    await end(context, server);
  },
});

function raise(error: unknown): never {
  throw error;
}

async function end({ values, out }: SignalContext, server: SignalingServer): Promise<void> {
  const { agents, relayed, totalConnections } = server.stats();
  const started = performance.now();
  out.info(`stopping; ${counted(agents, 'agent')} will be told`, { type: 'stopping', agents });
  await tellServiceManager(out, {
    STOPPING: 1,
    STATUS: `sending ${counted(agents, 'agent')} away`,
    EXTEND_TIMEOUT_USEC: (values.drain + LAST_WORDS) * 1000,
  });
  await server.close({ drain: values.drain });
  const time = performance.now() - started;
  out.result(
    { type: 'stopped', relayed, totalConnections, time },
    `stopped after ${duration(time)}; ${counted(totalConnections, 'connection')}, ${counted(relayed, 'message')} relayed`,
  );
}

function withFacts(message: string, fields: LogFields = {}): string {
  const facts = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return [message, ...facts].join(' ');
}

/** What happens, as objects for programs; for people what is out of the ordinary, and everything with `--verbose`. */
function logger(out: Output): Logger {
  const log =
    (level: string, always: boolean) =>
    (message: string, fields: LogFields = {}) => {
      if (out.json) out.result({ type: 'log', time: new Date().toISOString(), level, message, ...fields });
      else if (always || out.verbose) out.info(`[${level}] ${harmless(withFacts(message, fields))}`);
    };
  // Of an open server that others can reach, people hear even if they want to hear little.
  const warn = (message: string, fields?: LogFields) => {
    if (out.json) log('warn', true)(message, fields);
    else out.warn(withFacts(message, fields));
  };
  return {
    debug: out.verbose ? log('debug', false) : () => undefined,
    info: log('info', false),
    warn,
    error: log('error', true),
  };
}

/** What the server warns of comes through its logger, and needs not be said twice. */
function muteOwnWarnings(): void {
  const listeners = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning: Error & { code?: string }) => {
    if (!warning.code?.startsWith('OSSA_SIGNALING')) for (const listener of listeners) listener(warning);
  });
}

/** New certificates come without a restart: those who are connected stay. */
async function reloadTls({ values, out }: SignalContext, server: SignalingServer): Promise<void> {
  try {
    const tls = await tlsOf(values);
    if (!tls) return out.info('there is no certificate to read again');
    server.updateTls(tls);
    out.info('the certificate was read again', { type: 'reloaded' });
  } catch (error) {
    const { message } = error as Error;
    out.info(`the certificate was not replaced: ${message}`, { type: 'reload-failed', message });
  }
}

function countEvery({ values, out }: SignalContext, server: SignalingServer): NodeJS.Timeout | undefined {
  if (values.stats === undefined) return undefined;
  const show = () => {
    const counters = { ...server.stats() };
    const text = Object.entries(counters).map(([name, count]) => `${name}=${JSON.stringify(count)}`);
    out.result({ type: 'stats', ...counters }, text.join(' '));
  };
  return setInterval(show, values.stats);
}
