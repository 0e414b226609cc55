// An agent in Node for the agent in a browser's page: `npx tsx examples/browser/agent.mts [port]`, then open what it prints.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { createPeer, createSignalingServer } from 'ossa-webrtc';

const folder = process.env['PAGE_FOLDER'] ?? join(process.cwd(), 'examples', 'browser');
const signaling = await createSignalingServer();
const files = new Map([
  ['/', ['index.html', 'text/html']],
  ['/spec-agent.mjs', ['spec-agent.mjs', 'text/javascript']],
] as const);

const web = createServer((request, response) => {
  void (async () => {
    const file = files.get((request.url ?? '') as '/');
    if (file) response.setHeader('content-type', file[1]).end(await readFile(join(folder, file[0])));
    else if (request.url === '/signaling.json') response.end(JSON.stringify({ signalingUrl: signaling.url }));
    else response.writeHead(404).end();
  })();
});
await new Promise<void>((resolve) => web.listen(Number(process.argv[2] ?? 0), '127.0.0.1', resolve));

const peer = createPeer({ agentId: 'agent://example.com/node', signaling: signaling.url });
peer.handle('shout', (text: string) => text.toUpperCase());
await peer.ready;
console.log(`open http://127.0.0.1:${(web.address() as AddressInfo).port}/`);

const stop = async () => {
  await peer.close();
  web.close();
  web.closeAllConnections();
  await signaling.close();
};
process.once('SIGINT', () => void stop());
process.once('SIGTERM', () => void stop());

for await (const link of peer) {
  console.log(`connected to ${link.remote.agentId}`);
  await link.send('welcome');
  const { title } = await link.call<{ title: string }>('describe');
  console.log(`the page is called "${title}"`);
}
