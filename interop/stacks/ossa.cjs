// This package, as a user gets it.
const { RTCPeerConnection } = require('../..');
const { name, version } = require('../../package.json');

module.exports = { name, version, RTCPeerConnection };
