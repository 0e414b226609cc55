// Agents that prove who they are, and one that is not welcome: `npx tsx examples/trust.mts`
// What the specification's authentication and permissions are for, with keys that are known beforehand.
import { AgentError, createPeer, createSignalingServer, generateAgentKeys } from 'ossa-webrtc';

await using server = await createSignalingServer();
const signaling = server.url;
const bank = { agentId: 'agent://example.com/bank', keys: await generateAgentKeys() };
const customer = { agentId: 'agent://example.com/customer', keys: await generateAgentKeys() };
const pinned = { [bank.agentId]: bank.keys.publicKey, [customer.agentId]: customer.keys.publicKey };

await using service = createPeer({
  agentId: bank.agentId,
  signaling,
  auth: { keys: bank.keys, pinned },
  allow: ['agent://example.com/customer', 'agent://example.com/agent-2'],
});
service.handle('balance', (_: unknown, { from }) => ({ of: from, amount: 100 }));
service.on('refused', ({ agentId, reason }) => console.log(`the bank has refused ${agentId}: ${reason}`));
await service.ready;

await using client = createPeer({ agentId: customer.agentId, signaling, auth: { keys: customer.keys, pinned } });
const link = await client.connect(bank.agentId);
console.log(`authenticated: ${link.remote.authenticated}, by a key that is ${link.remote.how}`);
console.log('balance:', await link.call('balance'));

// Whoever has no key that the bank knows stays outside, whatever name they use.
await using stranger = createPeer({
  agentId: 'agent://example.com/agent-2',
  signaling,
  auth: { keys: await generateAgentKeys(), pinned },
});
await stranger.connect(bank.agentId, { timeout: 5000 }).catch((error: AgentError) => {
  console.log('the stranger gets:', error.code);
});
