'use strict';
module.exports = require('./dist/index.js');
// It is there already; written here as well, where tools see it that do not follow the line above.
module.exports.default = module.exports.wrtc;
