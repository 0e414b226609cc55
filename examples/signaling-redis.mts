// Signaling of your own over a message broker, Redis here: `npx tsx examples/signaling-redis.mts [redis://127.0.0.1:6379]`
// One channel per agent. Whoever may use the broker may speak for any agent: give the agents keys (see trust.mts).
import { createClient } from 'redis';

import { AgentError, createPeer, type SignalingAdapter, type SignalingMessage } from 'ossa-webrtc';

const publisher = createClient({ url: process.argv[2] ?? 'redis://127.0.0.1:6379' });
// A connection that subscribes can do nothing else.
const subscriber = publisher.duplicate();
for (const client of [publisher, subscriber]) {
  client.on('error', (error: Error) => console.error(`Redis: ${error.message}`));
  await client.connect();
}

const channel = (agentId: string) => `signaling:${agentId}`;

const signaling: SignalingAdapter = {
  async send(message) {
    // The broker keeps the order of one connection, and says how many have got it.
    const receivers = await publisher.publish(channel(message.to), JSON.stringify(message));
    if (receivers === 0) {
      throw new AgentError('AGENT_UNREACHABLE', `${message.to} is not listening`, { retryable: true });
    }
  },
  async subscribe(agentId, deliver) {
    const listener = (text: string) => deliver(JSON.parse(text) as SignalingMessage);
    await subscriber.subscribe(channel(agentId), listener);
    return () => subscriber.unsubscribe(channel(agentId), listener);
  },
};

{
  await using bank = createPeer({ agentId: 'agent://example.com/bank', signaling });
  bank.handle('rate', ({ currency }: { currency: string }) => ({ currency, rate: 1.1 }));
  await bank.ready;
  await using shop = createPeer({ agentId: 'agent://example.com/shop', signaling });
  const link = await shop.connect('agent://example.com/bank');
  console.log('rate:', await link.call('rate', { currency: 'EUR' }));
  await shop.connect('agent://example.com/nobody').catch((error: unknown) => {
    console.log('nobody:', (error as AgentError).code);
  });
}
await Promise.all([publisher.close(), subscriber.close()]);
