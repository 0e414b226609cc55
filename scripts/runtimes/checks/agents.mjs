// Agents: a signaling server, calls, streamed results, an error with its code, channels as web streams, MCP's entry.
import assert from 'node:assert/strict';

import { createPeer, createSignalingServer } from 'ossa-webrtc';
import { McpClientTransport } from 'ossa-webrtc/mcp';
import { WebRTCTransport } from 'ossa-webrtc/ossa';

assert.equal(typeof McpClientTransport, 'function');
assert.equal(typeof WebRTCTransport, 'function');
const server = await createSignalingServer();
const alice = createPeer({ agentId: 'agent://example.com/alice', signaling: server.url });
const bob = createPeer({ agentId: 'agent://example.com/bob', signaling: server.url });
bob.handle('greet', ({ name }) => `hello, ${name}`);
bob.handle('count', async function* ({ to }) {
  for (let i = 1; i <= to; i++) yield i;
});
await bob.ready;
const link = await alice.connect('agent://example.com/bob');
assert.equal(await link.call('greet', { name: 'alice' }), 'hello, alice');
const counted = [];
for await (const one of link.callStream('count', { to: 5 })) counted.push(one);
assert.deepEqual(counted, [1, 2, 3, 4, 5]);
await assert.rejects(link.call('unknown', {}), { code: 'CAPABILITY_NOT_FOUND' });
await Promise.all([alice.close(), bob.close(), server.close()]);
