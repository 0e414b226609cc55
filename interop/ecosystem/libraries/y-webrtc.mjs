// y-webrtc over its own signaling server: two documents, edited on either side.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import 'ossa-webrtc/polyfill';

export const about = {
  name: 'y-webrtc',
  package: 'y-webrtc',
  over: 'its signaling server',
  how: '`ossa-webrtc/polyfill`',
};

// It is for the tabs of a browser. What y-webrtc says through it when it leaves opens it once more, and Node does not end while one is open.
delete globalThis.BroadcastChannel;

const { Doc } = await import('yjs');
const { WebrtcProvider } = await import('y-webrtc');

/** The server takes its port from the environment, and does not say which it got if that is 0. */
async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

export async function host() {
  const port = await freePort();
  const program = createRequire(import.meta.url)
    .resolve('y-webrtc')
    .replace(/dist.*/, 'bin/server.js');
  const server = spawn(process.execPath, [program], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => server.stdout.once('data', resolve));
  return { url: `ws://127.0.0.1:${port}`, close: () => server.kill() };
}

export async function peer(url, { role, connected, received, send, left }) {
  const doc = new Doc();
  const text = doc.getMap('hello');
  const provider = new WebrtcProvider('ossa-webrtc', doc, {
    signaling: [url],
    peerOpts: { config: { iceServers: [] }, iceCompleteTimeout: 500 },
  });
  let met = false;
  provider.on('peers', ({ webrtcPeers }) => {
    if (met && webrtcPeers.length === 0) left();
  });
  provider.on('synced', () => {
    met = true;
    connected();
  });
  text.observe(({ keysChanged }) => {
    for (const name of keysChanged) if (name !== role) received(text.get(name));
  });
  send((value) => text.set(role, value));
  return () => {
    provider.disconnect(); // destroy() leaves the signaling connected
    provider.destroy();
    doc.destroy();
  };
}
