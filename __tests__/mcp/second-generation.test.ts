// Version 2 of the official SDK, in packages of its own, and its two generations with each other.
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { Client } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';

import { generateAgentKeys } from 'ossa-webrtc';
import { McpClientTransport, serveMcp } from 'ossa-webrtc/mcp';

import { agents } from '../agent/two-agents';
import { ABOUT, serveTools, textOf } from './setup';

const { pair } = agents();

/** Two agents with proven names, of which the other one has a server of version 2. */
async function served() {
  const keys = await Promise.all([generateAgentKeys(), generateAgentKeys()]);
  const pinned = { 'agent://a': keys[0].publicKey, 'agent://b': keys[1].publicKey };
  const { b, ab } = await pair({ a: { auth: { keys: keys[0], pinned } }, b: { auth: { keys: keys[1], pinned } } });
  const serving = serveMcp(b, () => {
    const server = new McpServer(ABOUT);
    server.registerTool('who', {}, ({ http, sessionId }) => ({
      content: [{ type: 'text', text: `${http?.authInfo?.clientId} ${sessionId}` }],
    }));
    return server;
  });
  return { b, ab, serving };
}

test('client and server of version 2 talk over a link, and the server knows who calls', async () => {
  const { ab, serving } = await served();
  const client = new Client(ABOUT);
  const transport = new McpClientTransport(ab);
  await client.connect(transport);
  expect(client.getServerVersion()).toMatchObject(ABOUT);
  expect(textOf(await client.callTool({ name: 'who' }))).toBe(`agent://a ${transport.sessionId}`);
  await client.close();
  expect(serving.sessions).toBeLessThanOrEqual(1);
});

test('a client of version 1 uses a server of version 2, and the other way round', async () => {
  const { b, ab } = await served();
  serveTools(b, { name: 'first' });
  const [one, two] = [new Client1(ABOUT), new Client(ABOUT)];
  await one.connect(new McpClientTransport(ab));
  await two.connect(new McpClientTransport(ab, { name: 'first' }));
  expect(textOf(await one.callTool({ name: 'who' }))).toMatch(/^agent:\/\/a /);
  expect(textOf(await two.callTool({ name: 'add', arguments: { a: 4, b: 5 } }))).toBe('9');
});
