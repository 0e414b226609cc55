import { AGENT, AGENT_GROUPS, agentOf, withPeer } from '../options';
import { harmless, harmlessJson, UsageError } from '../output';
import { defineCommand } from '../parsing';

export const call = defineCommand({
  name: 'call',
  summary: 'Call a capability of an agent and print its result',
  description:
    'Calls a capability with JSON as input and prints the result as JSON on one line. A result that streams is printed item ' +
    'by item, a line each, as it comes; when the reader of the lines stops, so does the agent.',
  positionals: [{ name: 'agent' }, { name: 'capability' }, { name: 'json', optional: true }],
  options: {
    wait: {
      type: 'duration',
      short: 'W',
      default: 30_000,
      min: 1,
      max: 86_400_000,
      help: 'Time for the answer, and for each item of a stream.',
    },
    raw: { type: 'flag', short: 'r', help: 'Print results that are strings as they are, not as JSON.' },
    string: { type: 'flag', short: 's', help: 'The input is text, not JSON.' },
    ...AGENT,
  },
  groups: AGENT_GROUPS,
  examples: [
    [`call agent://example.com/billing invoice '{"items": [10, 20]}'`, 'Call with an argument'],
    ['call agent://example.com/billing import - < data.json', 'The input from standard input'],
  ],
  async run(context) {
    const { values, positionals, out, signal } = context;
    const [name, capability, input] = positionals as [string, string, string?];
    const agent = await agentOf(name);
    const argument = await inputOf(input, values.string);
    await withPeer(context, async (peer) => {
      const link = await peer.connect(agent, { timeout: values.timeout, signal });
      const results = link.callStream(capability, argument, { timeout: values.wait, signal });
      for await (const value of results) {
        const text = values.raw && typeof value === 'string' ? value : harmlessJson(value);
        // Raw is raw in a file or pipe; a terminal is protected.
        out.result(
          { type: 'result', value },
          values.raw && out.stdout.isTTY ? text.split('\n').map(harmless).join('\n') : text,
        );
      }
    });
  },
});

async function inputOf(text: string | undefined, string: boolean): Promise<unknown> {
  if (text === undefined) return undefined;
  const given = text === '-' ? await standardInput() : text;
  if (string) return given;
  try {
    return JSON.parse(given) as unknown;
  } catch (error) {
    const origin = text === '-' ? 'standard input' : JSON.stringify(text);
    throw new UsageError(`${origin} is not JSON: ${(error as Error).message}; --string sends it as text`);
  }
}

async function standardInput(): Promise<string> {
  // File descriptor 0 by its number: a stream would have to be closed again.
  return await new Promise<string>((resolve, reject) => {
    let text = '';
    process.stdin.setEncoding('utf8');
    process.stdin.on('data', (part: string) => (text += part));
    process.stdin.on('end', () => resolve(text));
    process.stdin.on('error', reject);
  });
}
