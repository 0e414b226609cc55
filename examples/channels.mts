// Channels beside the messages, for raw data of your own: `npx tsx examples/channels.mts`
// The channel types of the specification, its backpressure and its binary data.
import { createPeer, createSignalingServer, type AgentChannel, type ChannelInit } from 'ossa-webrtc';

await using server = await createSignalingServer();
await using producer = createPeer({ agentId: 'agent://example.com/producer', signaling: server.url });
await using consumer = createPeer({ agentId: 'agent://example.com/consumer', signaling: server.url });
await consumer.ready;

const types: Record<string, ChannelInit> = {
  reliable: { ordered: true },
  unreliable: { ordered: false, maxRetransmits: 0 },
  partial: { ordered: true, maxRetransmits: 3 },
};

/** Bytes of each channel that the consumer has read to its end. */
const totals = new Map<string, Promise<number>>();
async function bytesOf(channel: AgentChannel): Promise<number> {
  let bytes = 0;
  for await (const data of channel) bytes += typeof data === 'string' ? data.length : data.byteLength;
  return bytes;
}
const arrived = new Promise<void>((resolve) => {
  consumer.on('link', (link) => {
    link.on('channel', (channel) => {
      totals.set(channel.label, bytesOf(channel));
      if (totals.size === Object.keys(types).length) resolve();
    });
  });
});

for (const [label, init] of Object.entries(types)) {
  const channel = await producer.createChannel('agent://example.com/consumer', label, init);
  // Resolves when there is room. `trySend()` says at once whether there is, and takes nothing if there is none.
  for (let block = 0; block < 100; block++) await channel.send(new Uint8Array(16 * 1024));
  if (!channel.trySend('the end')) await channel.send('the end');
  await channel.close();
}

await arrived;
for (const [label, bytes] of totals) console.log(`${label}: ${await bytes} bytes`);
