// Tasks between agents over a link, with the official SDK of the Agent2Agent protocol: npm install @a2a-js/sdk
import { AgentCard, Message } from '@a2a-js/sdk';
import { AgentEvent, DefaultRequestHandler, InMemoryTaskStore, type AgentExecutor } from '@a2a-js/sdk/server';
import { createPeer, MemorySignaling } from 'ossa-webrtc';
import { a2aClientFactory, LINK_BINDING, serveA2a } from 'ossa-webrtc/a2a';

const signaling = new MemorySignaling();
const url = 'agent://example.com/echo';

// The side that answers.
const card = AgentCard.fromJSON({
  name: 'Echo',
  description: 'says what it is told',
  version: '1.0.0',
  supportedInterfaces: [{ url, protocolBinding: LINK_BINDING, protocolVersion: '1.0' }],
  capabilities: { streaming: true },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [],
});
const executor: AgentExecutor = {
  execute: ({ userMessage, context, contextId }, bus) => {
    const content = userMessage.parts[0]?.content;
    const heard = content?.$case === 'text' ? content.value : 'nothing that can be read';
    const text = `${context.user?.userName} says ${heard}`;
    const answer = { messageId: crypto.randomUUID(), contextId, role: 'ROLE_AGENT', parts: [{ text }] };
    bus.publish(AgentEvent.message(Message.fromJSON(answer)));
    bus.finished();
    return Promise.resolve();
  },
  cancelTask: () => Promise.resolve(),
};
await using echo = createPeer({ agentId: url, signaling });
// Without keys nobody's name is proven; a service that matters leaves this option out.
serveA2a(echo, new DefaultRequestHandler(card, new InMemoryTaskStore(), executor), { unauthenticated: true });
await echo.ready;

// The side that asks.
await using agent = createPeer({ agentId: 'agent://example.com/anna', signaling });
const client = await a2aClientFactory(agent).createFromUrl(url);
console.log('found:', (await client.getAgentCard()).name);
const message = Message.fromJSON({ messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text: 'hello' }] });
for await (const { payload } of client.sendMessageStream({
  message,
  configuration: undefined,
  metadata: undefined,
  tenant: '',
})) {
  if (payload?.$case === 'message') console.log(payload.value.parts[0]?.content?.value);
}
