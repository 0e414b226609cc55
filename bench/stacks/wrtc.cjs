const { adapter, pollingFlow } = require('./w3c.cjs');

module.exports = adapter(require('../../interop/stacks/wrtc.cjs'), { flow: pollingFlow });
