// An MCP server on standard input and output with bad habits, one for each name of a tool.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';

const server = new McpServer({ name: 'habits', version: '1' });
const text = (value) => ({ content: [{ type: 'text', text: value }] });

server.registerTool('caller', {}, () => text(String(process.env.OSSA_MCP_CALLER)));
server.registerTool('secrets', {}, () =>
  text(
    Object.keys(process.env)
      .filter((name) => name.startsWith('OSSA_'))
      .join(),
  ),
);
server.registerTool('pid', {}, () => text(String(process.pid)));
server.registerTool('die', {}, () => process.exit(7));
server.registerTool('chatter', {}, () => {
  process.stdout.write('this is no message\n');
  process.stderr.write('this is for \x1b[31mpeople\n');
  return text('done');
});
server.registerTool('big', {}, () => text('x'.repeat(8_000_000)));
// A server that does not want to end.
if (process.argv.includes('--stubborn')) {
  process.on('SIGTERM', () => undefined);
  setInterval(() => undefined, 1000);
}
await server.connect(new StdioServerTransport());
