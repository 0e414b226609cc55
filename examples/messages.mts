// Messages of every kind and size between two agents: `npx tsx examples/messages.mts`
// What the specification does with sendMessage, sendChunkedMessage and handleChunkedMessage.
import { createPeer, createSignalingServer, type AgentMessage } from 'ossa-webrtc';

await using server = await createSignalingServer();
await using sensor = createPeer({ agentId: 'agent://example.com/sensor', signaling: server.url });
await using monitor = createPeer({ agentId: 'agent://example.com/monitor', signaling: server.url });
await monitor.ready;

const received: Promise<AgentMessage[]> = (async () => {
  const messages: AgentMessage[] = [];
  for await (const link of monitor) {
    for await (const message of link) if (messages.push(message) === 4) break;
    break;
  }
  return messages;
})();

const link = await sensor.connect('agent://example.com/monitor');
await link.send({ temperature: 21.5 });
await link.send({ alarm: 'smoke' }, { priority: 'critical', ttl: 10, correlationId: 'alarm-7' });
// Of any size that the other side takes: it is split and put together again as the other side understands it.
await link.send({
  history: Array.from({ length: 20_000 }, (_, i) => ({ second: i, temperature: 20 + (i % 10) / 10 })),
});
// Bytes go as they are.
await link.send(new Uint8Array([1, 2, 3]));

for (const { type, payload, from, metadata } of await received) {
  const text = payload instanceof ArrayBuffer ? `${payload.byteLength} bytes` : JSON.stringify(payload).slice(0, 60);
  console.log(`${type} from ${from}, ${JSON.stringify(metadata['priority'] ?? 'normal')}: ${text}`);
}
