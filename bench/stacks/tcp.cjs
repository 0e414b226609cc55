// Plain TCP of the kernel, with the congestion control of the namespace that it is in: what others on the path use. It sends streams of
// bytes, not messages, which is all that a rate needs.
const { createServer, connect } = require('node:net');
const { networkInterfaces, release } = require('node:os');

const { createPipeDriver } = require('./pipe.cjs');

/** Makes the socket look like a channel. */
function channel(socket) {
  socket.setNoDelay(true);
  socket.on('error', () => {}); // the other process may be gone first
  socket.on('data', (data) => socket.onmessage?.({ data }));
  socket.send = (data) => socket.write(data);
  return socket;
}

/** The first address that is not of this host only. */
function ownAddress() {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4').address;
}

const driver = createPipeDriver({
  async listen(adopt) {
    const server = createServer((socket) => adopt(channel(socket)));
    const address = ownAddress();
    await new Promise((resolve) => server.listen(0, address, resolve));
    return { place: `${address} ${server.address().port}`, close: () => server.close() };
  },
  connect(place, adopt) {
    const [address, port] = place.split(' ');
    const socket = connect(Number(port), address, () => adopt(channel(socket)));
  },
  end: (socket) => socket.destroy(),
});

const flow = {
  buffered: (socket) => socket.writableLength,
  room: (socket) => new Promise((resolve) => socket.once('drain', resolve)),
};

module.exports = { about: { name: 'tcp', version: `Linux ${release()}` }, driver, flow };
