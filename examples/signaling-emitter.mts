// Signaling of your own, in one process: two functions over an EventEmitter. `npx tsx examples/signaling-emitter.mts`
import { EventEmitter } from 'node:events';

import { AgentError, createPeer, type SignalingAdapter, type SignalingMessage } from 'ossa-webrtc';

const bus = new EventEmitter();

const signaling: SignalingAdapter = {
  send(message) {
    // A copy, and later: agents do not share objects, and nobody is called back while sending.
    const copy = structuredClone(message);
    if (bus.listenerCount(message.to) === 0) {
      throw new AgentError('AGENT_UNREACHABLE', `${message.to} is not listening`, { retryable: true });
    }
    setImmediate(() => bus.emit(message.to, copy));
  },
  subscribe(agentId, deliver) {
    const listener = (message: SignalingMessage) => deliver(message);
    bus.on(agentId, listener);
    return () => void bus.off(agentId, listener);
  },
};

await using weather = createPeer({ agentId: 'agent://example.com/weather', signaling });
weather.handle('forecast', ({ city }: { city: string }) => `${city}: sunny`);
await weather.ready;

await using traveller = createPeer({ agentId: 'agent://example.com/traveller', signaling });
const link = await traveller.connect('agent://example.com/weather');
console.log('answer:', await link.call('forecast', { city: 'Lisbon' }));

try {
  await traveller.connect('agent://example.com/nobody');
} catch (error) {
  console.log('nobody:', (error as AgentError).code);
}
