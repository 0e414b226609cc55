// Opens and closes ten thousand sessions over one link, and reports what is left: `node __tests__/mcp/sessions-memory.mjs`, after a build.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { createPeer, MemorySignaling } from 'ossa-webrtc';
import { McpClientTransport, serveMcp } from 'ossa-webrtc/mcp';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

const signaling = new MemorySignaling();
const [a, b] = ['agent://a', 'agent://b'].map((agentId) => createPeer({ agentId, signaling }));
const serving = serveMcp(b, () => new McpServer({ name: 'memory', version: '1' }), { unauthenticated: true });
await b.ready;
const link = await a.connect('agent://b');

async function round(count) {
  for (let done = 0; done < count; done += 50) {
    const clients = Array.from({ length: 50 }, () => new Client({ name: 'memory', version: '1' }));
    await Promise.all(clients.map((client) => client.connect(new McpClientTransport(link))));
    await Promise.all(clients.map((client) => client.close()));
    while (serving.sessions > 0) await new Promise(setImmediate);
  }
}

async function inUse() {
  for (let turn = 0; turn < 5; turn++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heap: heapUsed };
}

await round(2000);
const before = await inUse();
const started = performance.now();
await round(10_000);
const seconds = (performance.now() - started) / 1000;
const after = await inUse();
const grown = (name) => `${((after[name] / before[name] - 1) * 100).toFixed(1)} %`;
console.log({ seconds, before, after, heapGrown: grown('heap'), rssGrown: grown('rss'), sessions: serving.sessions });
await Promise.all([a.close(), b.close()]);
