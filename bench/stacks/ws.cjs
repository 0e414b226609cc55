// Plain WebSocket, without encryption: the mark to beat. The "offer" is empty, the "answer" is the port of the answerer's server.
const { WebSocket, WebSocketServer } = require('ws');
const { version } = require('ws/package.json');

const peers = new Map();

/** Makes the socket available as the peer's only channel. */
function adopt(peer, socket) {
  peer.socket = socket;
  socket.binaryType = 'nodebuffer';
  // Without TLS a small message must not wait for the acknowledgement of the one before.
  socket._socket?.setNoDelay(true);
  peer.open();
}

const driver = {
  async open({ pc }) {
    const peer = {};
    peer.opened = new Promise((resolve) => (peer.open = resolve));
    peers.set(pc, peer);
    return {};
  },
  createChannel: async () => ({}),
  createOffer: async () => ({ sdp: '' }),
  async acceptOffer({ pc }) {
    const peer = peers.get(pc);
    peer.server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      perMessageDeflate: false,
      maxPayload: 16 * 1024 * 1024,
    });
    peer.server.on('connection', (socket) => adopt(peer, socket));
    await new Promise((resolve) => peer.server.once('listening', resolve));
    return { sdp: String(peer.server.address().port) };
  },
  async acceptAnswer({ pc, sdp }) {
    const peer = peers.get(pc);
    const socket = new WebSocket(`ws://127.0.0.1:${sdp}`, { perMessageDeflate: false });
    socket.on('open', () => adopt(peer, socket));
    return {};
  },
  addCandidate: async () => ({}),
  nextCandidate: async () => ({ closed: true }),
  async waitOpen({ pc }) {
    await peers.get(pc).opened;
    return {};
  },
  async closePeer({ pc }) {
    const { socket, server } = peers.get(pc);
    peers.delete(pc);
    socket?.terminate();
    server?.close();
    return {};
  },
  channel: ({ pc }) => peers.get(pc).socket,
};

const flow = {
  buffered: (socket) => socket.bufferedAmount,
  room: (socket) => new Promise((resolve) => socket._socket.once('drain', resolve)),
};

module.exports = { about: { name: 'ws', version }, driver, flow };
