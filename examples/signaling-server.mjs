// A signaling server of your own: `node examples/signaling-server.mjs [port]`
import { createSignalingServer } from 'ossa-webrtc';

const server = await createSignalingServer({ port: Number(process.argv[2] ?? 0) });
console.log(`listening on ${server.url}`);

const stop = async () => {
  const { totalConnections, relayed } = server.stats();
  await server.close();
  console.log(`closed after ${totalConnections} connections and ${relayed} messages`);
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
