/**
 * The W3C's classes, agents and signaling: `import { … } from 'ossa-webrtc'`.
 *
 * @module ossa-webrtc
 */
export * from '../../index.js';
