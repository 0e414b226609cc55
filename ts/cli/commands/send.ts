import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { basename, resolve } from 'node:path';

import type { Link } from '../../index';
import { pathOf, pathText } from '../measuring';
import { AGENT, AGENT_GROUPS, agentOf, remoteText, withPeer } from '../options';
import { bytes, duration, Failure, showProgress, UsageError } from '../output';
import { defineCommand, type Context } from '../parsing';

const OPTIONS = {
  name: { type: 'text', value: '<name>', help: 'The name that the other side sees. Without it: that of the file.' },
  mime: { type: 'text', value: '<type>', help: 'The media type that the other side sees.' },
  answer: {
    type: 'duration',
    default: 600_000,
    min: 1,
    max: 600_000,
    help: 'Time for the other side to accept the file or refuse it.',
  },
  ...AGENT,
} as const;

type SendContext = Context<typeof OPTIONS>;

export const send = defineCommand({
  name: 'send',
  summary: 'Send files to an agent that runs receive',
  description:
    'Sends files and waits until the other side has them: under their names, with the right SHA-256. A transfer that was ' +
    'interrupted goes on where it was when the same command is run again. "-" is standard input, which cannot go on.\n' +
    'Without --id the name of this agent is made from the file and the receiver, so that it is the same each time.',
  positionals: [{ name: 'file', many: true }, { name: 'agent' }],
  options: OPTIONS,
  groups: AGENT_GROUPS,
  examples: [
    ['send report.pdf agent://example.com/inbox', 'Send a file'],
    ['send --name backup.tar - agent://example.com/inbox < backup.tar', 'Send what comes from a pipe'],
  ],
  async run(context) {
    const { values, positionals, signal } = context;
    const files = positionals.slice(0, -1);
    const agent = await agentOf(positionals.at(-1)!);
    if (values.name !== undefined && files.length > 1) throw new UsageError('--name is for one file, not for several');
    if (files.filter((file) => file === '-').length > 1)
      throw new UsageError('standard input ("-") can be sent once only');
    for (const file of files) await checkReadable(file);
    const id = values.id ?? steadyId(files, agent);
    await withPeer(
      context,
      async (peer) => {
        const link = await peer.connect(agent, { timeout: values.timeout, signal });
        const path = await pathOf(link);
        context.out.info(`connected to ${remoteText(link)}${path ? `, ${pathText(path)}` : ''}`, {
          type: 'connected',
          agent: link.remote.agentId,
          authenticated: link.remote.authenticated,
          path,
        });
        for (const file of files) await sendOne(context, link, file);
      },
      { agentId: id },
    );
  },
});

async function sendOne({ values, out, signal }: SendContext, link: Link, file: string): Promise<void> {
  const name = values.name ?? (file === '-' ? 'stdin' : basename(file));
  const started = performance.now();
  const transfer = link.sendFile(file === '-' ? process.stdin : file, {
    name,
    type: values.mime,
    timeout: values.answer,
    onProgress: showProgress(out, 'progress', name),
  });
  out.status(`${name}  waiting for the other side to accept`);
  // The link is closed and the transfer not cancelled: the other side keeps what it has, and the next attempt goes on there.
  const stop = () => void link.close();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const { bytes: size, sha256, resumedFrom } = await transfer.done;
    const time = performance.now() - started;
    const rate = ((size - resumedFrom) / time) * 1000;
    out.clearStatus();
    const rest = resumedFrom > 0 ? `, ${bytes(resumedFrom)} were there already` : '';
    out.result(
      { type: 'sent', name, bytes: size, sha256, resumedFrom, time, rate: Math.round(rate) },
      `${sha256}  ${name}  ${bytes(size)} in ${duration(time)} (${bytes(rate)}/s)${rest}`,
    );
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Fails before anybody is called. */
async function checkReadable(file: string): Promise<void> {
  if (file === '-') return;
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`${file} cannot be sent: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`);
  });
  if (found.isDirectory())
    throw new Failure(`${file} is a folder; send it as an archive: tar c ${file} | ... send - <agent>`);
}

/** A receiver resumes a file for the agent that has sent its beginning: the name must be the same at the next attempt. */
function steadyId(files: readonly string[], agent: string): string {
  const facts = [hostname(), userInfo().username, agent.toLowerCase(), ...files.map((file) => resolve(file))];
  return `agent://localhost/send-${createHash('sha256').update(facts.join('\0')).digest('hex').slice(0, 16)}`;
}
