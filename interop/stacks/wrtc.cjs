// libwebrtc in Node.
const { RTCPeerConnection } = require('@roamhq/wrtc');
const { name, version } = require('@roamhq/wrtc/package.json');

// It shows 65535 where W3C has null.
module.exports = { name, version, RTCPeerConnection, unlimited: 65535 };
