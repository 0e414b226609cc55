// `ossa-webrtc/mcp`: the Model Context Protocol over links. Transports for the official SDK, which is not loaded here: its classes take
// whatever has the shape of a transport. How a session crosses a link is in `session`.
export { McpClientTransport, type McpClientOptions } from './client';
export { serveMcp, type McpServing, type ServeMcpOptions } from './server';
export { McpTransport } from './transport';
export type { McpServerLike, McpSessionFactory } from './factory';
export type { JsonRpcMessage, McpAuthInfo, McpMessageExtra } from './types';
