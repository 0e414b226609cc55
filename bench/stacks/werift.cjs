const { adapter, pollingFlow } = require('./w3c.cjs');

module.exports = adapter(require('../../interop/stacks/werift.cjs'), { flow: pollingFlow });
