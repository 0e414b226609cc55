// Plain WebSocket, without encryption: the mark to beat.
const { WebSocket, WebSocketServer } = require('ws');
const { version } = require('ws/package.json');

const { createPipeDriver } = require('./pipe.cjs');

function channel(socket) {
  socket.binaryType = 'nodebuffer';
  // Without TLS a small message must not wait for the acknowledgement of the one before.
  socket._socket?.setNoDelay(true);
  return socket;
}

const driver = createPipeDriver({
  async listen(adopt) {
    const maxPayload = 16 * 1024 * 1024;
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, maxPayload });
    server.on('connection', (socket) => adopt(channel(socket)));
    await new Promise((resolve) => server.once('listening', resolve));
    return { place: String(server.address().port), close: () => server.close() };
  },
  connect(port, adopt) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    socket.on('open', () => adopt(channel(socket)));
  },
  end: (socket) => socket.terminate(),
});

const flow = {
  buffered: (socket) => socket.bufferedAmount,
  room: (socket) => new Promise((resolve) => socket._socket.once('drain', resolve)),
};

module.exports = { about: { name: 'ws', version }, driver, flow };
