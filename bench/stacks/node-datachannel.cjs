// Through its native API, whose bufferedAmount and low event work. Its default limit of 256 KiB per message is raised to take part at 1 MiB.
const { adapter } = require('./w3c.cjs');

module.exports = adapter(require('../../interop/stacks/node-datachannel.cjs'), {
  config: { maxMessageSize: 1024 * 1024 },
});
