/**
 * The [A2A SDK](/docs/a2a) over a link: `import { … } from 'ossa-webrtc/a2a'`.
 *
 * @module ossa-webrtc/a2a
 */
export * from '../../a2a.js';
