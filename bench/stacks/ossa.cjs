const { adapter } = require('./w3c.cjs');

module.exports = adapter(require('../../interop/stacks/ossa.cjs'));
