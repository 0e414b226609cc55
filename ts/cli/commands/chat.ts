import { createInterface, type Interface } from 'node:readline';

import type { AgentMessage, AgentPeer, Link } from '../../index';
import { AGENT, AGENT_GROUPS, agentOf, registered, remoteText, withPeer } from '../options';
import { harmless, UsageError } from '../output';
import { defineCommand, type Context } from '../parsing';
import { fired } from './pause';

const OPTIONS = {
  room: { type: 'text', short: 'r', value: '<name>', help: 'Talk to everybody in this room of the signaling server.' },
  ...AGENT,
} as const;

type ChatContext = Context<typeof OPTIONS>;

export const chat = defineCommand({
  name: 'chat',
  summary: 'Talk to an agent, or to a room, line by line',
  description:
    'Sends each line of standard input, and prints what others say. With an agent, connects to it; without one, waits for ' +
    'others to connect; with --room, talks to everybody who is there. Says who comes and goes. /who lists the others, /quit ' +
    'ends; so does the end of the input, after everything has been sent. Input that does not come from a terminal is read ' +
    'once somebody is there to hear it.',
  positionals: [{ name: 'agent', optional: true }],
  options: OPTIONS,
  groups: AGENT_GROUPS,
  examples: [
    ['chat --id agent://example.com/alice', 'Wait for others'],
    ['chat --id agent://example.com/bob agent://example.com/alice', 'Talk to her'],
    ['chat --room lobby', 'Talk to everybody'],
    ['chat agent://example.com/alice < message.txt', 'Say something and leave'],
  ],
  async run(context) {
    const [name] = context.positionals;
    const agent = name === undefined ? undefined : await agentOf(name);
    const { room } = context.values;
    if (agent !== undefined && room !== undefined) throw new UsageError('chat takes an agent or --room, not both');
    await withPeer(context, async (peer) => {
      const { values, signal } = context;
      const conversation = new Conversation(context, peer);
      if (room !== undefined) await conversation.enter(room);
      else peer.on('link', (link) => conversation.joined(link));
      await registered(peer, signal, values.timeout);
      conversation.ready();
      if (agent !== undefined) conversation.joined(await peer.connect(agent, { timeout: values.timeout, signal }));
      await conversation.run(agent !== undefined);
    });
  },
});

/** Everybody we talk to, and what they say. */
class Conversation {
  readonly #links = new Map<string, Link>();
  #broadcast: ((text: string) => Promise<unknown>) | undefined;
  #somebody!: () => void;
  readonly #heard: Promise<void>;
  #alone!: () => void;
  readonly #left: Promise<void>;

  constructor(
    readonly context: ChatContext,
    readonly peer: AgentPeer,
  ) {
    this.#heard = new Promise((resolve) => (this.#somebody = resolve));
    this.#left = new Promise((resolve) => (this.#alone = resolve));
  }

  ready(): void {
    const { agentId } = this.peer;
    this.context.out.info(`you are ${agentId}; /who lists the others, /quit ends`, { type: 'ready', agent: agentId });
  }

  /** Goes into a room; who is there is told by the room. */
  async enter(name: string): Promise<void> {
    const room = await this.peer.join(name);
    room.on('join', (_, link) => this.#present(link));
    room.on('leave', (member) => this.#absent(member));
    room.on('message', (message) => this.#said(message));
    this.#broadcast = (text) => room.broadcast(text);
  }

  /** Somebody to talk to. */
  joined(link: Link): void {
    // A link that is there already is what connect() gives for an agent that has just connected to us.
    if (this.#links.get(link.remote.agentId) === link) return;
    this.#present(link);
    link.on('message', (message) => this.#said(message));
    link.once('close', () => this.#absent(link.remote.agentId));
  }

  /** Talks until there is nothing to say any more. */
  async run(until: boolean): Promise<void> {
    const { signal } = this.context;
    const ended = until ? Promise.race([fired(signal), this.#left]) : fired(signal);
    // What comes from a file or pipe would be over before anybody is there.
    if (!process.stdin.isTTY) await Promise.race([this.#heard, ended]);
    if (signal.aborted) return;
    const input = createInterface({ input: process.stdin, output: process.stdin.isTTY ? process.stderr : undefined });
    // On a terminal in this mode Ctrl-C comes as a key.
    input.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    const over = new AbortController();
    try {
      await Promise.race([ended.finally(() => over.abort()), this.#speak(input, over.signal)]);
    } finally {
      input.close();
    }
  }

  async #speak(input: Interface, over: AbortSignal): Promise<void> {
    for await (const line of input) {
      if (over.aborted) return;
      const text = line.trimEnd();
      if (text === '/quit') return;
      if (text === '/who') this.#who();
      else if (text.startsWith('/') && !text.startsWith('//')) {
        this.context.out.info(`there is no ${text.split(' ')[0]}; /who lists the others, /quit ends`);
      } else if (text !== '') await this.#say(text.startsWith('//') ? text.slice(1) : text);
    }
  }

  async #say(text: string): Promise<void> {
    if (this.#links.size === 0) {
      this.context.out.info('nobody is here to hear that');
      return;
    }
    if (this.#broadcast) {
      await this.#broadcast(text);
      return;
    }
    const links = [...this.#links.values()];
    const outcomes = await Promise.allSettled(links.map((link) => link.send(text)));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') continue;
      const { message } = outcome.reason as Error;
      this.context.out.info(`${links[index]!.remote.agentId} did not get that: ${message}`);
    }
  }

  #who(): void {
    const names = [...this.#links.values()].map(remoteText);
    this.context.out.info(names.length > 0 ? names.join(', ') : 'nobody else is here');
  }

  #present(link: Link): void {
    const { agentId, authenticated } = link.remote;
    this.#links.set(agentId, link);
    this.context.out.info(`* ${remoteText(link)} is here`, { type: 'joined', agent: agentId, authenticated });
    this.#somebody();
  }

  #absent(agentId: string): void {
    if (!this.#links.delete(agentId)) return;
    this.context.out.info(`* ${agentId} has left`, { type: 'left', agent: agentId });
    if (this.#links.size === 0) this.#alone();
  }

  #said({ from, payload, timestamp }: AgentMessage): void {
    const { out } = this.context;
    const text =
      payload instanceof ArrayBuffer
        ? `(${payload.byteLength} bytes)`
        : typeof payload === 'string'
          ? payload
          : JSON.stringify(payload);
    const lines = text.split('\n').map((line) => `${out.paint('cyan', from)}: ${harmless(line)}`);
    out.result({ type: 'message', from, text, timestamp }, lines.join('\n'));
  }
}
