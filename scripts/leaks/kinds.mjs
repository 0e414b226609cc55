// What is made and closed again, many times: each function does it `count` times and leaves nothing open.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { createPeer, MemorySignaling, RTCPeerConnection } from 'ossa-webrtc';

/** So many at a time: a program that makes thousands does not make them one after the other. */
const AT_ONCE = 10;

async function inTurns(count, one) {
  for (let done = 0; done < count; done += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - done) }, (_, i) => one(done + i)));
  }
}

/** `RTCPeerConnection`s in pairs: negotiated, connected, a message there and back, closed. */
export function connections(count) {
  return inTurns(count / 2, async () => {
    const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
    a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate);
    b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate);
    b.ondatachannel = ({ channel }) => (channel.onmessage = ({ data }) => channel.send(data));
    const channel = a.createDataChannel('leaks');
    channel.onopen = () => channel.send('hello');
    const echoed = new Promise((resolve) => (channel.onmessage = resolve));
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription);
    await b.setLocalDescription();
    await a.setRemoteDescription(b.localDescription);
    await echoed;
    a.close();
    b.close();
  });
}

/** Agents in pairs: found, linked, a call, closed. */
export function agents(count) {
  const signaling = new MemorySignaling();
  return inTurns(count / 2, async (number) => {
    const [a, b] = ['a', 'b'].map((name) => createPeer({ agentId: `agent://leaks/${name}${number}`, signaling }));
    b.handle('echo', (input) => input);
    await b.ready;
    const link = await a.connect(`agent://leaks/b${number}`);
    await link.call('echo', 'hello');
    await Promise.all([a.close(), b.close()]);
  });
}

/** Sessions of MCP over one link, with the official SDK's client and server. */
export async function sessions(count) {
  const [{ Client }, { McpServer }, { McpClientTransport, serveMcp }] = await Promise.all([
    import('@modelcontextprotocol/sdk/client/index.js'),
    import('@modelcontextprotocol/sdk/server/mcp.js'),
    import('ossa-webrtc/mcp'),
  ]);
  const signaling = new MemorySignaling();
  const [a, b] = ['agent://a', 'agent://b'].map((agentId) => createPeer({ agentId, signaling }));
  const serving = serveMcp(b, () => new McpServer({ name: 'leaks', version: '1' }), { unauthenticated: true });
  await b.ready;
  const link = await a.connect('agent://b');
  await inTurns(count, async () => {
    const client = new Client({ name: 'leaks', version: '1' });
    await client.connect(new McpClientTransport(link));
    await client.close();
  });
  while (serving.sessions > 0) await new Promise(setImmediate);
  await Promise.all([a.close(), b.close()]);
}

/** Workers that are terminated with connections open and busy in them. */
export async function workers(count) {
  for (let done = 0; done < count; done++) {
    const worker = new Worker(new URL('worker.mjs', import.meta.url));
    await once(worker, 'message');
    await worker.terminate();
  }
}
