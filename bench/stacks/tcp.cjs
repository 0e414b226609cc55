// Plain TCP of the kernel, with the congestion control of the namespace that it is in: what others on the path use. The "answer" is the
// answerer's address and port. It sends streams of bytes, not messages, which is all that a rate needs.
const { createServer, connect } = require('node:net');
const { networkInterfaces } = require('node:os');

const peers = new Map();

function adopt(peer, socket) {
  peer.socket = socket;
  socket.setNoDelay(true);
  socket.on('error', () => {}); // the other process may be gone first
  socket.on('data', (data) => socket.onmessage?.({ data }));
  socket.send = (data) => socket.write(data);
  peer.open();
}

/** The first address that is not of this host only. */
function ownAddress() {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4').address;
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
    peer.server = createServer((socket) => adopt(peer, socket));
    const address = ownAddress();
    await new Promise((resolve) => peer.server.listen(0, address, resolve));
    return { sdp: `${address} ${peer.server.address().port}` };
  },
  async acceptAnswer({ pc, sdp }) {
    const [address, port] = sdp.split(' ');
    const socket = connect(Number(port), address, () => adopt(peers.get(pc), socket));
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
    socket?.destroy();
    server?.close();
    return {};
  },
  channel: ({ pc }) => peers.get(pc).socket,
};

const flow = {
  buffered: (socket) => socket.writableLength,
  room: (socket) => new Promise((resolve) => socket.once('drain', resolve)),
};

module.exports = { about: { name: 'tcp', version: `Linux ${require('node:os').release()}` }, driver, flow };
