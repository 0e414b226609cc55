// @libp2p/webrtc between two nodes that meet by way of a relay (circuit relay v2), with the files that it has for browsers.
import { register } from 'node:module';
import 'ossa-webrtc/polyfill';

export const about = {
  name: '@libp2p/webrtc',
  package: '@libp2p/webrtc',
  over: 'a relay, `@libp2p/circuit-relay-v2`',
  how: '`ossa-webrtc/polyfill` and a hook',
};

register('../for-browsers.mjs', import.meta.url);

const { createLibp2p } = await import('libp2p');
const { webRTC } = await import('@libp2p/webrtc');
const { webSockets } = await import('@libp2p/websockets');
const { circuitRelayServer, circuitRelayTransport } = await import('@libp2p/circuit-relay-v2');
const { generateKeyPairFromSeed } = await import('@libp2p/crypto/keys');
const { identify } = await import('@libp2p/identify');
const { peerIdFromPrivateKey } = await import('@libp2p/peer-id');
const { noise } = await import('@chainsafe/libp2p-noise');
const { yamux } = await import('@chainsafe/libp2p-yamux');
const { multiaddr } = await import('@multiformats/multiaddr');

const PROTOCOL = '/hello/1.0.0';

const common = {
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false }, // everything is on this machine
};

export async function host() {
  const relay = await createLibp2p({
    ...common,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    services: { identify: identify(), relay: circuitRelayServer() },
  });
  return { url: String(relay.getMultiaddrs()[0]), close: () => relay.stop() };
}

/** Names are known beforehand, as they would be to whoever calls somebody. */
const keyOf = (role) => generateKeyPairFromSeed('Ed25519', Buffer.alloc(32, role));

async function dialed(node, address) {
  // The other one may not be there yet.
  for (;;) {
    try {
      return await node.dialProtocol(multiaddr(address), PROTOCOL);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

export async function peer(url, { role, first, connected, received, send, left }) {
  const node = await createLibp2p({
    ...common,
    privateKey: await keyOf(role),
    addresses: { listen: first ? [] : [`${url}/p2p-circuit`, '/webrtc'] },
    transports: [webSockets(), circuitRelayTransport(), webRTC({ rtcConfiguration: { iceServers: [] } })],
    services: { identify: identify() },
  });
  const talk = (stream) => {
    stream.addEventListener('message', ({ data }) => received(Buffer.from(data.subarray()).toString()));
    connected();
    send((text) => stream.send(Buffer.from(text)));
  };
  node.addEventListener('connection:close', ({ detail: { remoteAddr } }) => {
    if (String(remoteAddr).includes('/webrtc')) left();
  });
  if (first) talk(await dialed(node, `${url}/p2p-circuit/webrtc/p2p/${peerIdFromPrivateKey(await keyOf('bob'))}`));
  else await node.handle(PROTOCOL, talk);
  return async () => {
    await node.stop();
    // Its connection to the relay may stay.
    return 'stays';
  };
}
