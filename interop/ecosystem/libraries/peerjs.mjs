// PeerJS over its own server.
import { PeerServer } from 'peer';
import 'ossa-webrtc/polyfill';

export const about = {
  name: 'PeerJS',
  package: 'peerjs',
  over: 'its server, `peer`',
  how: '`ossa-webrtc/polyfill`',
};

globalThis.location ??= { protocol: 'http:' };

export async function host() {
  let server;
  await new Promise((resolve) =>
    PeerServer({ host: '127.0.0.1', port: 0, path: '/' }, (listening) => resolve((server = listening))),
  );
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

export async function peer(url, { role, first, connected, received, send, left }) {
  const {
    default: { Peer },
  } = await import('peerjs');
  const { hostname: host, port } = new URL(url);
  const peer = new Peer(role, { host, port: Number(port), path: '/', config: { iceServers: [] } });
  const talk = (connection) => {
    connection.on('open', () => {
      connected();
      send((text) => connection.send(text));
    });
    connection.on('data', received);
    connection.on('close', left);
  };
  peer.on('connection', talk);
  await new Promise((resolve) => peer.once('open', resolve));
  if (first) {
    const call = () => talk(peer.connect('bob', { reliable: true }));
    // The other one may not be there yet.
    peer.on('error', ({ type }) => type === 'peer-unavailable' && call());
    call();
  }
  return () => peer.destroy();
}
