'use strict';
module.exports = require('./dist/ossa/index.js');
