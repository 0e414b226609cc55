// What of JSON-RPC a transport has to look at: whether it is any, and which requests wait for an answer.
import type { JsonRpcMessage } from './types';

/** A message as far as a transport looks at it. */
export interface Looked extends JsonRpcMessage {
  id?: unknown;
  method?: unknown;
  result?: unknown;
  error?: unknown;
  params?: unknown;
}

/** The message behind its JSON; nothing if it is none. */
export function messageOf(text: string): Looked | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMessage(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether something is a message of JSON-RPC 2.0; batches are none in MCP. */
export function isMessage(value: unknown): value is Looked {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { jsonrpc, id, method, result, error } = value as Looked;
  if (jsonrpc !== '2.0') return false;
  if (method !== undefined) return typeof method === 'string' && (id === undefined || isId(id));
  return result !== undefined || (typeof error === 'object' && error !== null);
}

/** Whether it asks for an answer. */
export const isRequest = ({ method, id }: Looked): boolean => method !== undefined && id !== undefined;

/** Whether it is an answer. */
export const isResponse = ({ method, id }: Looked): boolean => method === undefined && id !== undefined;

/** The request that a cancellation takes back. */
export function cancelledBy({ method, params }: Looked): unknown {
  return method === 'notifications/cancelled' ? (params as { requestId?: unknown } | undefined)?.requestId : undefined;
}

/** An answer that is an error. */
export function failure(id: unknown, code: number, message: string): Looked {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

const isId = (id: unknown): boolean => typeof id === 'string' || typeof id === 'number';
