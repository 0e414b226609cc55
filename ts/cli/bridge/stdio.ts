// A session, and a pair of streams that carry messages as lines.
import type { Readable, Writable } from 'node:stream';

import { AgentError } from '../../index';
import type { JsonRpcMessage, McpTransport } from '../../mcp';
import { Lines } from './lines';

/** Bytes of a line; sessions take no larger messages by default. */
const MOST = 16 * 1024 * 1024;

/** What is said about lines that are no messages. */
export interface PipeHost {
  /** A line is no message: it goes nowhere. */
  stray(line: string): void;
}

/** Messages of the session go to the output as lines; it is read no faster than the output takes them. Before the session is started. */
export function deliverTo(output: Writable, transport: McpTransport): void {
  transport.onmessage = (message) => write(output, `${JSON.stringify(message)}\n`);
}

/**
 * Sends the messages of the input until it ends, and resolves then; it is read no faster than the session sends.
 *
 * @throws AgentError - `MESSAGE_TOO_LARGE`: a line is too long; what the session refuses.
 */
export async function sendFrom(input: Readable, transport: McpTransport, host: PipeHost): Promise<void> {
  const lines = new Lines(MOST);
  for await (const piece of input as AsyncIterable<Buffer>) {
    for (const line of cut(lines, piece)) {
      const message = parsed(line);
      if (message) await send(transport, message);
      else if (line.trim() !== '') host.stray(line);
    }
  }
}

function cut(lines: Lines, piece: Buffer): string[] {
  try {
    return lines.push(piece);
  } catch (error) {
    throw new AgentError('MESSAGE_TOO_LARGE', `${(error as Error).message}, and no message may be larger`);
  }
}

/** One message that the other side does not take is answered for it; the session goes on. */
async function send(
  transport: McpTransport,
  message: JsonRpcMessage & { id?: unknown; method?: unknown },
): Promise<void> {
  try {
    await transport.send(message);
  } catch (error) {
    const { id, method } = message;
    if (!(error instanceof AgentError) || error.code !== 'MESSAGE_TOO_LARGE') throw error;
    if (method === undefined || id === undefined) return;
    const answer = {
      jsonrpc: '2.0' as const,
      id,
      error: { code: -32_603, message: `MESSAGE_TOO_LARGE: ${error.message}` },
    };
    await transport.onmessage?.(answer);
  }
}

function parsed(line: string): JsonRpcMessage | undefined {
  try {
    const value = JSON.parse(line) as JsonRpcMessage | null;
    return value?.jsonrpc === '2.0' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Resolves when there is room again; also when nobody reads any more, which the caller learns otherwise. */
function write(output: Writable, text: string): void | Promise<void> {
  if (output.destroyed || output.write(text)) return;
  return new Promise((resolve) => {
    const done = () => {
      for (const name of ['drain', 'close', 'error']) output.off(name, done);
      resolve();
    };
    for (const name of ['drain', 'close', 'error']) output.once(name, done);
  });
}
