'use strict';
require('./dist/polyfill.js');
