// Tools over a link, with the official SDK of the Model Context Protocol: npm install @modelcontextprotocol/sdk
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { createPeer, generateAgentKeys, MemorySignaling } from 'ossa-webrtc';
import { McpClientTransport, serveMcp } from 'ossa-webrtc/mcp';

const signaling = new MemorySignaling();
const [anna, tools] = await Promise.all([generateAgentKeys(), generateAgentKeys()]);
const pinned = { 'agent://example.com/anna': anna.publicKey, 'agent://example.com/tools': tools.publicKey };

// The side that has the tools: one server for each session. Only agents whose key is pinned get one.
await using toolbox = createPeer({ agentId: 'agent://example.com/tools', signaling, auth: { keys: tools, pinned } });
serveMcp(toolbox, ({ agentId }) => {
  const server = new McpServer({ name: 'toolbox', version: '1.0.0' });
  server.registerTool('greet', {}, () => ({ content: [{ type: 'text', text: `hello, ${agentId}` }] }));
  server.registerTool('build', {}, async ({ sendNotification, _meta }) => {
    const token = _meta?.progressToken;
    for (let progress = 1; token !== undefined && progress <= 3; progress++) {
      const params = { progressToken: token, progress, total: 3 };
      await sendNotification({ method: 'notifications/progress', params });
    }
    return { content: [{ type: 'text', text: 'built' }] };
  });
  return server;
});
await toolbox.ready;

// The side that uses them.
await using agent = createPeer({ agentId: 'agent://example.com/anna', signaling, auth: { keys: anna, pinned } });
const client = new Client({ name: 'anna', version: '1.0.0' });
await client.connect(new McpClientTransport(await agent.connect('agent://example.com/tools')));

console.log('tools:', (await client.listTools()).tools.map(({ name }) => name).join(', '));
console.log(await client.callTool({ name: 'greet' }));
const onprogress = ({ progress, total }: { progress: number; total?: number }) =>
  console.log(`${progress} of ${total}`);
console.log(await client.callTool({ name: 'build' }, undefined, { onprogress }));
await client.close();
