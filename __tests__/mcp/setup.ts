// Agents that serve MCP, and clients of the official SDK.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';

import type { AgentPeer, Link } from 'ossa-webrtc';
import { McpClientTransport, serveMcp, type McpClientOptions, type ServeMcpOptions } from 'ossa-webrtc/mcp';

export const ABOUT = { name: 'test', version: '1.0.0' };

/** What tools were called with, and what they were told. */
export interface Seen {
  cancelled: unknown[];
  callers: unknown[];
  servers: McpServer[];
  /** Resolves when the tool `wait` runs. */
  waiting: Promise<void>;
}

/** A server with a tool of each kind. */
export function toolServer(seen: Seen, began: () => void = () => undefined): McpServer {
  const server = new McpServer(ABOUT);
  seen.servers.push(server);
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  server.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => text(String(a + b)));
  server.registerTool('who', {}, ({ authInfo, sessionId }) => {
    seen.callers.push(authInfo);
    return text(`${authInfo?.clientId ?? 'nobody'} ${sessionId}`);
  });
  server.registerTool('big', { inputSchema: { size: z.number() } }, ({ size }) => text('ä𝄞'.repeat(size / 6)));
  server.registerTool('count', { inputSchema: { to: z.number() } }, async ({ to }, { sendNotification, _meta }) => {
    for (let progress = 1; progress <= to; progress++) {
      const params = { progressToken: _meta!.progressToken!, progress, total: to };
      await sendNotification({ method: 'notifications/progress', params });
    }
    return text('counted');
  });
  server.registerTool('wait', {}, async ({ signal }) => {
    began();
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    seen.cancelled.push(signal.reason);
    return text('never');
  });
  return server;
}

/** Serves tools from `peer`. */
export function serveTools(peer: AgentPeer, options: ServeMcpOptions = {}) {
  let began!: () => void;
  const seen: Seen = { cancelled: [], callers: [], servers: [], waiting: new Promise((resolve) => (began = resolve)) };
  const serving = serveMcp(peer, () => toolServer(seen, began), { unauthenticated: true, ...options });
  return { seen, serving };
}

/** A client of the SDK that has a session. */
export async function connected(link: Link, options?: McpClientOptions) {
  const client = new Client(ABOUT);
  const transport = new McpClientTransport(link, options);
  const errors: Error[] = [];
  client.onerror = (error) => errors.push(error);
  const closed = new Promise<void>((resolve) => (client.onclose = resolve));
  await client.connect(transport);
  return { client, transport, errors, closed };
}

/** The text that a tool gives. */
export function textOf(result: unknown): string {
  return (result as { content: [{ text: string }] }).content[0].text;
}
