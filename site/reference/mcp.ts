/**
 * The [MCP SDK](/docs/mcp) over a link: `import { … } from 'ossa-webrtc/mcp'`.
 *
 * @module ossa-webrtc/mcp
 */
export * from '../../mcp.js';
