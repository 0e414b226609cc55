// What the stacks without WebRTC have in common: one socket per peer, which is all of its channels. The answerer listens, its "answer"
// is the place, and the offerer connects there. Nothing has candidates.

/**
 * @param listen `(adopt) => Promise<{ place, close }>`: listens, and gives what connects to `adopt`.
 * @param connect `(place, adopt) => void`: connects there, and gives the socket to `adopt` when it is open.
 * @param end ends a socket at once.
 */
function createPipeDriver({ listen, connect, end }) {
  const peers = new Map();
  const adopter = (peer) => (socket) => {
    peer.socket = socket;
    peer.open();
  };
  return {
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
      peer.server = await listen(adopter(peer));
      return { sdp: peer.server.place };
    },
    async acceptAnswer({ pc, sdp }) {
      connect(sdp, adopter(peers.get(pc)));
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
      if (socket) end(socket);
      server?.close();
      return {};
    },
    channel: ({ pc }) => peers.get(pc).socket,
  };
}

module.exports = { createPipeDriver };
