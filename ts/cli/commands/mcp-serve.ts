import type { AgentPeer } from '../../index';
import type { McpTransport } from '../../mcp';
import type { ChildServer } from '../bridge';
import { AGENT, AGENT_GROUPS, registered, withPeer } from '../options';
import { UsageError } from '../output';
import { defineCommand, type Context } from '../parsing';
import { fired } from './pause';

const OPTIONS = {
  name: {
    type: 'text',
    short: 'n',
    value: '<name>',
    default: 'mcp',
    help: 'What clients ask for; an agent may serve several servers, each from a program of its own.',
  },
  maxSessions: {
    type: 'number',
    value: '<n>',
    default: 32,
    min: 1,
    max: 65_536,
    help: 'Clients at a time, each of which has a process; more are refused.',
  },
  anyone: {
    type: 'flag',
    help: 'Serve agents whose names are not proven as well: whoever reaches the signaling server may use the server.',
  },
  ...AGENT,
} as const;

type ServeContext = Context<typeof OPTIONS>;

export const mcpServe = defineCommand({
  name: 'mcp serve',
  summary: 'Let other agents use an MCP server of this machine',
  description:
    'Serves an MCP server that speaks over standard input and output, as it is, to other agents: with mcp connect, or with ossa-webrtc/mcp. ' +
    'Each client has a process of its own, which finds the name of the client in OSSA_MCP_CALLER, and none of the OSSA_ variables of this ' +
    'program. What it says on standard error comes out here. Serves the agents whose keys --trust gives, or those with --allow whose ' +
    'keys --known-keys knows; nobody else, unless --anyone says so. Write the command behind --.',
  positionals: [{ name: 'command', many: true }],
  options: OPTIONS,
  groups: AGENT_GROUPS,
  examples: [
    [
      'mcp serve --id agent://example.com/files --trust agent://example.com/me=me.pub -- my-server /srv',
      'Let one agent use a server',
    ],
    ['mcp serve --anyone -- npx -y @modelcontextprotocol/server-everything', 'Let everybody try one'],
  ],
  run: async (context) => {
    checkWho(context);
    await withPeer(context, (peer) => serve(context, peer));
  },
});

/** A server acts for whoever runs it: who may use it has to be said. */
function checkWho({ values }: ServeContext): void {
  const { anyone, trust, knownKeys, allow } = values;
  if (anyone || trust.length > 0) return;
  if (knownKeys === undefined) {
    throw new UsageError('who may use the server? --trust names agents by their keys; --anyone serves everybody');
  }
  if (allow.length === 0) {
    throw new UsageError(
      '--known-keys proves that an agent is the one of last time, not who it is: say with --allow who may use the server',
    );
  }
}

async function serve(context: ServeContext, peer: AgentPeer): Promise<void> {
  const { values, positionals, out, signal } = context;
  const { serveMcp } = await import('../../mcp/index.js');
  const { AgentError } = await import('../../index.js');
  // Loads the native library, which other commands do without.
  const bridge = await import('../bridge/index.js');
  const children = new Set<ChildServer>();
  let count = 0;
  const factory = async (_: unknown, transport: McpTransport): Promise<void> => {
    const number = ++count;
    const { agentId: agent, authenticated } = transport.remote;
    const tell = (type: string, text: string, more: object = {}) =>
      out.info(`[${number}] ${text}`, { type, session: number, agent, ...more });
    const child = new bridge.ChildServer(positionals as [string, ...string[]], transport, {
      said: (line) => tell('stderr', line, { line }),
      stray: (line) => tell('stray', `standard output that is no message of MCP was left out: ${line.slice(0, 200)}`),
      problem: ({ message }) => tell('problem', `the session of ${agent} is over: ${message}`, { message }),
      ended: (how) => {
        children.delete(child);
        tell('ended', `the server for ${agent} ${how}`, { how });
      },
    });
    children.add(child);
    await child.connect();
    tell('session', `a session for ${agent}${authenticated ? '' : ' (name not proven)'}`, { authenticated });
  };
  const killAll = () => children.forEach((child) => child.kill());
  process.once('exit', killAll);
  const { name, anyone, maxSessions, allow } = values;
  const serving = serveMcp(peer, factory, {
    name,
    maxSessions,
    maxSessionsPerAgent: maxSessions,
    unauthenticated: anyone,
    ...(allow.length > 0 ? { allow } : {}),
    onerror: (error, { agentId }) => out.warn(`${agentId} got no session: ${error.message}`),
  });
  try {
    await registered(peer, signal, values.timeout);
    const text = `ready as ${peer.agentId}; others use it with: ossa-webrtc mcp connect ${peer.agentId}`;
    out.info(text, { type: 'ready', agent: peer.agentId, name });
    const lost = new Promise<never>((_, reject) => peer.on('error', reject));
    await Promise.race([fired(signal), lost]);
    if (!signal.aborted) throw new AgentError('AGENT_UNREACHABLE', 'the signaling server is lost');
  } finally {
    await serving.close();
    await Promise.all([...children].map((child) => child.stop()));
    process.off('exit', killAll);
  }
}
