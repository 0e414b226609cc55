import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import type { AgentPeer, Link } from '../../index';
import { listen, measure, pathOf, pathText, type Figures, type Plan } from '../measuring';
import { AGENT, AGENT_GROUPS, agentOf, randomAgentId, registered, withPeer } from '../options';
import { duration, UsageError } from '../output';
import { defineCommand, type Context } from '../parsing';
import { fired } from './pause';

const OPTIONS = {
  listen: { type: 'flag', short: 'l', help: 'Be the other side: wait for others that measure.' },
  time: { type: 'duration', short: 't', default: 3000, min: 100, max: 600_000, help: 'Time for each figure.' },
  large: { type: 'bytes', default: 65_536, min: 1, max: 16_777_216, help: 'Size of the messages of the throughput.' },
  small: { type: 'bytes', default: 64, min: 1, max: 65_536, help: 'Size of the messages that are counted.' },
  ...AGENT,
} as const;

type BenchContext = Context<typeof OPTIONS>;

export const bench = defineCommand({
  name: 'bench',
  summary: 'Measure throughput, messages per second and round trip',
  description:
    'Measures the way to an agent that runs bench --listen. Without an agent, measures two processes on this machine, with a ' +
    'signaling server of their own: what the machine can do. Throughput is payload that has arrived; a round trip is a call ' +
    'and its answer.',
  positionals: [{ name: 'agent', optional: true }],
  options: OPTIONS,
  groups: AGENT_GROUPS,
  examples: [
    ['bench', 'Two processes on this machine'],
    ['bench --listen --id agent://example.com/bench', 'The other side'],
    ['bench agent://example.com/bench --json', 'The way to it, for a program'],
  ],
  async run(context) {
    const { values, positionals } = context;
    const [name] = positionals;
    const agent = name === undefined ? undefined : await agentOf(name);
    if (values.listen && agent !== undefined) throw new UsageError('bench --listen waits; it takes no agent');
    if (values.listen) await withPeer(context, (peer) => serve(peer, context));
    else if (agent !== undefined) await withPeer(context, (peer) => against(peer, agent, context));
    else await onThisMachine(context);
  },
});

async function serve(peer: AgentPeer, { out, signal, values }: BenchContext): Promise<void> {
  listen(peer);
  peer.on('link', (link) => out.info(`${link.remote.agentId} measures`, { type: 'link', agent: link.remote.agentId }));
  await registered(peer, signal, values.timeout);
  const { agentId } = peer;
  out.info(`ready as ${agentId}; measure with: ossa-webrtc bench ${agentId}`, { type: 'ready', agent: agentId });
  await fired(signal);
}

async function against(peer: AgentPeer, agent: string, context: BenchContext): Promise<void> {
  const { out, signal, values } = context;
  const link = await peer.connect(agent, { timeout: values.timeout, signal });
  await announce(link, out);
  const { time, large, small } = values;
  const plan: Plan = { time, large, small, signal, progress: (text) => out.status(`measuring ${text}...`) };
  show(await measure(link, plan), plan, context);
}

async function announce(link: Link, out: BenchContext['out']): Promise<void> {
  const path = await pathOf(link);
  out.info(`${link.remote.agentId}${path ? `, ${pathText(path)}` : ''}`, {
    type: 'connected',
    agent: link.remote.agentId,
    path,
  });
}

/** The other side is a process of its own: two peers of one process would share its thread. */
async function onThisMachine(context: BenchContext): Promise<void> {
  const { createSignalingServer } = await import('../../index.js');
  const server = await createSignalingServer();
  const agent = randomAgentId();
  const args = ['bench', '--listen', '--json', '--quiet', '--signaling', server.url, '--id', agent];
  // Settings for other agents are not for this one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^OSSA_(?!WEBRTC)/.test(name)));
  const child = fork(process.argv[1]!, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], env });
  try {
    await ready(child, context.signal);
    const values = {
      ...context.values,
      signaling: [server.url],
      keys: undefined,
      trust: [],
      knownKeys: undefined,
      allow: [],
    };
    const own = { ...context, values };
    await withPeer(own, (peer) => against(peer, agent, own), { agentId: randomAgentId() });
  } finally {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await server.close();
  }
}

async function ready(child: ChildProcess, signal: AbortSignal): Promise<void> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the process of the other side has ended (${code})`);
  });
  ended.catch(() => undefined);
  await Promise.race([once(child.stdout!, 'data', { signal }), ended]);
  child.stdout!.resume();
}

function show({ throughput, messages, rtt }: Figures, { large, small }: Plan, { out }: BenchContext): void {
  out.clearStatus();
  const megabytes = throughput.bytesPerSecond / 1e6;
  out.result(
    { type: 'throughput', messageSize: large, ...throughput },
    `throughput   ${megabytes.toFixed(megabytes < 100 ? 1 : 0)} MB/s (${((megabytes * 8) / 1000).toFixed(2)} Gbit/s), messages of ${large} bytes`,
  );
  out.result(
    { type: 'messages', messageSize: small, ...messages },
    `messages     ${Math.round(messages.messagesPerSecond).toLocaleString('en')} a second, of ${small} bytes`,
  );
  const { calls, min, p50, p99, max } = rtt;
  out.result(
    { type: 'rtt', ...rtt },
    `round trip   ${duration(p50)} median, ${duration(min)} to ${duration(max)}, 99 % within ${duration(p99)} (${calls.toLocaleString('en')} calls)`,
  );
}
