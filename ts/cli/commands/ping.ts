import type { Link } from '../../index';
import { pathOf, pathText, summary } from '../measuring';
import { AGENT, AGENT_GROUPS, agentOf, remoteText, withPeer } from '../options';
import { counted, duration, EXIT, type Output } from '../output';
import { defineCommand } from '../parsing';
import { pause } from './pause';

/** Nobody has this capability: every agent answers at once that it does not, which is all that is needed. */
const CAPABILITY = 'ossa-webrtc.ping';

/** Errors that this side makes; any other comes from the agent, and is an answer. */
const OWN_ERRORS = ['TASK_TIMEOUT', 'TASK_CANCELLED', 'AGENT_UNREACHABLE', 'MESSAGE_TOO_LARGE'];

export const ping = defineCommand({
  name: 'ping',
  summary: 'Measure the round trip to an agent, and see which way it goes',
  description:
    'Connects to an agent and calls it again and again until Ctrl-C or --count. The other agent needs nothing for that. ' +
    'Shows which path the packets take: direct, or through a relay. Fails if there was no answer.',
  positionals: [{ name: 'agent' }],
  options: {
    count: { type: 'number', short: 'c', min: 1, value: '<n>', help: 'Stop after so many calls.' },
    interval: { type: 'duration', short: 'i', default: 1000, max: 86_400_000, help: 'Time between two calls.' },
    wait: { type: 'duration', short: 'W', default: 5000, min: 1, max: 3_600_000, help: 'Time for each answer.' },
    size: { type: 'bytes', short: 's', default: 56, max: 1_000_000, help: 'Size of the payload.' },
    ...AGENT,
  },
  groups: AGENT_GROUPS,
  examples: [
    ['ping agent://example.com/billing', 'Until Ctrl-C'],
    ['ping -c 10 -i 100ms --json agent://example.com/billing', 'Ten times, for a program'],
  ],
  async run(context) {
    const agent = await agentOf(context.positionals[0]!);
    return await withPeer(context, async (peer) => {
      const { values, out, signal } = context;
      const link = await peer.connect(agent, { timeout: values.timeout, signal });
      await announce(link, out);
      const series = new Series(link, out);
      try {
        for (let seq = 1; !signal.aborted && (values.count === undefined || seq <= values.count); seq++) {
          if (seq > 1) await pause(values.interval, signal);
          if (signal.aborted) break;
          await series.call(seq, values.size, values.wait, signal);
          if (link.state === 'closed') break;
        }
      } finally {
        series.report();
      }
      return series.answers > 0 ? EXIT.ok : EXIT.failed;
    });
  },
});

async function announce(link: Link, out: Output): Promise<void> {
  const path = await pathOf(link);
  const { agentId, authenticated, how } = link.remote;
  out.result(
    { type: 'connected', agent: agentId, authenticated, how, path },
    `PING ${remoteText(link)}${path ? `, ${pathText(path)}` : ''}`,
  );
}

/** Calls, one after the other, and what came of them. */
class Series {
  answers = 0;
  #calls = 0;
  readonly #times: number[] = [];
  readonly #started = performance.now();

  constructor(
    readonly link: Link,
    readonly out: Output,
  ) {}

  async call(seq: number, size: number, wait: number, signal: AbortSignal): Promise<void> {
    const { agentId } = this.link.remote;
    this.#calls++;
    const started = performance.now();
    try {
      await this.link.call(CAPABILITY, 'x'.repeat(size), { timeout: wait, signal });
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (signal.aborted) {
        // Nobody has waited for this one.
        this.#calls--;
        return;
      }
      if (code === undefined || OWN_ERRORS.includes(code)) {
        this.out.result({ type: 'lost', agent: agentId, seq, code, message }, `seq=${seq} ${message}`);
        return;
      }
    }
    const rtt = performance.now() - started;
    this.answers++;
    this.#times.push(rtt);
    this.out.result(
      { type: 'answer', agent: agentId, seq, rtt },
      `answer from ${agentId}: seq=${seq} time=${duration(rtt)}`,
    );
  }

  report(): void {
    const [calls, answers] = [this.#calls, this.answers];
    const rtt = summary(this.#times);
    const loss = calls === 0 ? 0 : (100 * (calls - answers)) / calls;
    const lines = [
      `--- ${this.link.remote.agentId} ping statistics ---`,
      `${counted(calls, 'call')}, ${counted(answers, 'answer')}, ${Number(loss.toFixed(1))}% lost, ` +
        `time ${duration(performance.now() - this.#started)}`,
    ];
    if (rtt) {
      const figures = [rtt.min, rtt.avg, rtt.max, rtt.mdev].map((value) => value.toFixed(3)).join('/');
      lines.push(`rtt min/avg/max/mdev = ${figures} ms`);
    }
    this.out.result({ type: 'summary', agent: this.link.remote.agentId, calls, answers, loss, rtt }, lines.join('\n'));
  }
}
