/**
 * The class [`WebRTCTransport`](/docs/ossa) of the OSSA repository: `import { … } from 'ossa-webrtc/ossa'`.
 *
 * @module ossa-webrtc/ossa
 */
export * from '../../dist/ossa/index.js';
