// simple-peer, the present and version 9.7, with what they take without configuration: servers of others, which are not there.
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import * as wrtc from 'ossa-webrtc';

export const about = {
  name: 'simple-peer',
  package: 'simple-peer',
  over: 'a WebSocket, its own default servers, none of which answers',
  how: 'the option `wrtc`',
};

/** A signaling server of ten lines: what one says, the other hears. */
export async function host() {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      for (const other of sockets.clients) if (other !== socket) other.send(String(data));
    });
    if (sockets.clients.size === 2) for (const one of sockets.clients) one.send('"both are here"');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${server.address().port}`,
    close() {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    },
  };
}

export const peerOf =
  (SimplePeer) =>
  async (url, { first, connected, received, send, left }) => {
    const socket = new WebSocket(url);
    await new Promise((resolve) => socket.once('message', resolve));
    const peer = new SimplePeer({ initiator: first, wrtc });
    peer.on('signal', (signal) => socket.send(JSON.stringify(signal)));
    socket.on('message', (data) => peer.signal(JSON.parse(String(data))));
    peer.on('connect', connected);
    peer.on('data', (data) => received(data.toString()));
    peer.on('error', () => {}); // a lost channel is an error before it is the end
    peer.on('close', () => (socket.close(), left()));
    send((text) => peer.send(text));
    return () => peer.destroy();
  };

const { default: SimplePeer } = await import('simple-peer');
export const peer = peerOf(SimplePeer);
