import './polyfill.ts';
