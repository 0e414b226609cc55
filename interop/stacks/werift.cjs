// WebRTC in TypeScript. Its classes resemble W3C's: binary messages must be Buffers and arrive as Buffers.
const werift = require('werift');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

// The package does not export its manifest.
const root = join(require.resolve('werift'), '../../../..');
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const send = werift.RTCDataChannel.prototype.send;
werift.RTCDataChannel.prototype.send = function (data) {
  return send.call(this, typeof data === 'string' ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength));
};

module.exports = { name, version, RTCPeerConnection: werift.RTCPeerConnection, noEndOfCandidates: true };
