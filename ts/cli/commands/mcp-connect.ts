import type { AgentPeer } from '../../index';
import { AGENT, AGENT_GROUPS, agentOf, withPeer } from '../options';
import { UsageError } from '../output';
import { defineCommand, type Context } from '../parsing';
import { fired } from './pause';

const OPTIONS = {
  name: {
    type: 'text',
    short: 'n',
    value: '<name>',
    default: 'mcp',
    help: 'Which server of the agent, as its mcp serve --name calls it.',
  },
  ...AGENT,
} as const;

type ConnectContext = Context<typeof OPTIONS>;

export const mcpConnect = defineCommand({
  name: 'mcp connect',
  summary: 'Use an MCP server of another agent as if it were here',
  description:
    'Looks to an MCP client like a server of this machine, and is one of another agent: what comes on standard input goes there, and what ' +
    'comes from there goes to standard output. For the configuration of any client that starts servers as commands. Lives through losses ' +
    'of the connection. Ends when its input ends, or with the reason on standard error when the session does.',
  positionals: [{ name: 'agent' }],
  options: OPTIONS,
  groups: AGENT_GROUPS,
  examples: [
    [
      'mcp connect --keys me.key --trust agent://example.com/files=files.pub agent://example.com/files',
      'Use a server, both sides proven',
    ],
    ['mcp connect agent://example.com/demo', 'Use what everybody may'],
  ],
  async run(context) {
    const { positionals, out } = context;
    if (out.json) throw new UsageError('standard output carries the messages of MCP: there is no --json');
    const agent = await agentOf(positionals[0]!);
    await withPeer(context, (peer) => connect(context, peer, agent));
  },
});

async function connect({ values, out, signal }: ConnectContext, peer: AgentPeer, agent: string): Promise<void> {
  const { McpClientTransport } = await import('../../mcp/index.js');
  // Loads the native library, which other commands do without.
  const { deliverTo, sendFrom } = await import('../bridge/index.js');
  const link = await peer.connect(agent, { timeout: values.timeout, signal });
  link.on('reconnecting', ({ reason }) => out.info(`the connection is lost (${reason}); reconnecting`));
  link.on('reconnected', () => out.info('connected again'));
  const transport = new McpClientTransport(link, { name: values.name, timeout: values.timeout, signal });
  deliverTo(process.stdout, transport);
  await transport.start();
  let failure: Error | undefined;
  transport.onerror = (error) => (failure = error);
  const ended = new Promise<void>((resolve) => (transport.onclose = resolve));
  const stray = (line: string) =>
    out.warn(`standard input that is no message of MCP was left out: ${line.slice(0, 200)}`);
  const sending = sendFrom(process.stdin, transport, { stray });
  // What fails because the session is over is told as its end.
  const sent = sending.catch((error: Error) => void (failure ??= error));
  await Promise.race([sent, ended, fired(signal)]);
  await transport.close();
  if (failure) throw failure;
}
