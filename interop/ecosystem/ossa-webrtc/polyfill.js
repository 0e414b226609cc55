import '../../../dist/polyfill.mjs';
