import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';

import type { AgentPeer, IncomingFile } from '../../index';
import { AGENT, AGENT_GROUPS, registered, withPeer } from '../options';
import { bytes, harmless, inWords, showProgress, UsageError } from '../output';
import { defineCommand, type Context } from '../parsing';
import { fired } from './pause';

const OPTIONS = {
  dir: {
    type: 'text',
    short: 'd',
    value: '<folder>',
    default: '.',
    help: 'Where the files go; made if it is missing.',
  },
  accept: {
    type: 'flag',
    short: 'y',
    help: 'Take every file without asking; needed where there is no terminal to ask at.',
  },
  once: { type: 'flag', short: '1', help: 'End after the first file that has arrived.' },
  overwrite: { type: 'flag', help: 'Replace files of the same name.' },
  maxSize: { type: 'bytes', help: 'Refuse files that are larger, or do not say how large they are.' },
  sync: { type: 'flag', help: 'Wait until the disk has the file before it counts as received.' },
  ...AGENT,
} as const;

type ReceiveContext = Context<typeof OPTIONS>;

export const receive = defineCommand({
  name: 'receive',
  summary: 'Take files that other agents send',
  description:
    'Waits for files and asks about each one, or takes all of them with --accept: then limit who may send with --allow or ' +
    '--trust. Files arrive under a name that is safe, are verified, and never replace another file unless you say so. What is ' +
    'incomplete stays as <name>.part, and goes on at the next attempt of the same sender.',
  positionals: [],
  options: OPTIONS,
  groups: AGENT_GROUPS,
  examples: [
    ['receive --id agent://example.com/inbox', 'Ask about each file'],
    ['receive --id agent://example.com/inbox --dir in --accept --once --json', 'Take one file, for a program'],
  ],
  run: (context) =>
    withPeer(context, async (peer) => {
      const { values, out, signal } = context;
      if (!values.accept && (!process.stdin.isTTY || out.json)) {
        throw new UsageError(
          'there is no terminal to ask at; --accept takes every file, --allow and --trust say from whom',
        );
      }
      await mkdir(values.dir, { recursive: true });
      const files = new Reception(context);
      peer.on('file', (file) => files.offered(file));
      await registered(peer, signal, values.timeout);
      announce(context, peer);
      await Promise.race([fired(signal), files.enough]);
      await files.idle(signal);
    }),
});

function announce({ out }: ReceiveContext, { agentId }: AgentPeer): void {
  out.info(`ready as ${agentId}; others send with: ossa-webrtc send <file> ${agentId}`, {
    type: 'ready',
    agent: agentId,
  });
}

/** The files of one run. */
class Reception {
  /** Resolves when one file has arrived and no more are wanted. */
  readonly enough: Promise<void>;
  #done!: () => void;
  #over = false;
  #running = new Set<Promise<void>>();
  /** Questions are asked one after the other. */
  #question: Promise<unknown> = Promise.resolve();

  constructor(readonly context: ReceiveContext) {
    this.enough = new Promise((resolve) => (this.#done = resolve));
  }

  offered(file: IncomingFile): void {
    const task = this.#take(file).finally(() => this.#running.delete(task));
    this.#running.add(task);
  }

  /** Resolves when nothing is being received any more. */
  async idle(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await Promise.race([Promise.all(this.#running), fired(signal)]);
  }

  async #take(file: IncomingFile): Promise<void> {
    const { values, out } = this.context;
    const about = { id: file.id, name: file.name, from: file.from, size: file.size };
    out.progress({ type: 'offered', ...about });
    const refusal = await this.#refusal(file);
    if (refusal !== undefined) {
      file.reject('UNAUTHORIZED', refusal);
      out.info(`refused ${file.name} from ${file.from}: ${refusal}`, { type: 'refused', ...about, reason: refusal });
      return;
    }
    try {
      const { directory, ...options } = { directory: values.dir, overwrite: values.overwrite, sync: values.sync };
      file.accept({ directory }, { ...options, onProgress: showProgress(out, 'progress', file.name) });
      const { path, bytes: size, sha256, resumedFrom } = await file.done;
      out.clearStatus();
      out.result(
        { type: 'received', ...about, path, bytes: size, sha256, resumedFrom },
        `${sha256}  ${harmless(path ?? file.name)}  ${bytes(size)} from ${file.from}`,
      );
      if (values.once) {
        this.#over = true;
        this.#done();
      }
    } catch (error) {
      const { code, message, cause } = error as { code?: string; message: string; cause?: { code?: unknown } };
      out.clearStatus();
      const advice = cause?.code === 'EEXIST' ? '; --overwrite replaces it' : '';
      out.info(`${file.name} from ${file.from} did not arrive: ${inWords({ message })}${advice}`, {
        type: 'failed',
        ...about,
        code,
        message,
      });
    }
  }

  /** Why a file is not wanted. */
  async #refusal(file: IncomingFile): Promise<string | undefined> {
    const { values, signal } = this.context;
    if (this.#over) return 'no more files are taken here';
    const { maxSize } = values;
    if (maxSize !== undefined && (file.size ?? Infinity) > maxSize) return `at most ${maxSize} bytes are taken here`;
    if (values.accept) return undefined;
    const asked = this.#question.then(() => this.#ask(file, signal));
    this.#question = asked.catch(() => undefined);
    return (await asked.catch(() => false)) ? undefined : 'the user does not want it';
  }

  async #ask(file: IncomingFile, signal: AbortSignal): Promise<boolean> {
    const size = file.size === undefined ? 'of unknown size' : `(${bytes(file.size)})`;
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const answer = await terminal.question(
        harmless(`Take ${JSON.stringify(file.name)} ${size} from ${file.from}? [y/N] `),
        { signal },
      );
      return /^y(es)?$/i.test(answer.trim());
    } finally {
      terminal.close();
    }
  }
}
