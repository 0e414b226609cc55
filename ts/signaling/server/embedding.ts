// A signaling server as a part of a Node server: connections go to it through memory.
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { request as forward } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { Duplex, pipeline } from 'node:stream';

import { setTimeout } from '../../platform';
import { binding } from '../../native';

type NativeServer = InstanceType<typeof binding.SignalingServer>;
type NodeServer = HttpServer | HttpsServer;
type Emit = NodeServer['emit'];

/** One connection to the signaling server. */
class Tunnel extends Duplex {
  readonly #native: InstanceType<typeof binding.SignalingConnection>;
  #written: (() => void) | undefined;

  constructor(server: NativeServer, socket: Socket) {
    super();
    this.#native = server.accept(socket.remoteAddress ?? '0.0.0.0', socket.remotePort ?? 0, (event, data) => {
      if (event === 'data') this.push(data);
      else if (event === 'end') this.push(null);
      else this.#hasWritten();
    });
  }

  #hasWritten(): void {
    const done = this.#written;
    this.#written = undefined;
    done?.();
  }

  override _read(): void {
    this.#native.read();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#written = done;
    this.#native.write(chunk);
  }

  override _final(done: () => void): void {
    this.#written = done;
    this.#native.end();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#native.destroy();
    done(error);
  }
}

/** Headers that are about one connection (RFC 9110, 7.6.1), as every proxy leaves them out. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

function endToEnd(raw: readonly string[]): string[] {
  return raw.filter((_, index) => !HOP_BY_HOP.has((raw[index - (index % 2)] ?? '').toLowerCase()));
}

/** Milliseconds that a client has to close its side, as with a server of its own. */
const GOODBYE = 1000;

/** The request line and headers as they came. */
function headOf(request: IncomingMessage): string {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    lines.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function upgrade(native: NativeServer, request: IncomingMessage, socket: Socket, head: Buffer): void {
  let tunnel: Tunnel;
  try {
    tunnel = new Tunnel(native, socket);
  } catch {
    socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  socket.setTimeout(0);
  tunnel.write(headOf(request), 'latin1');
  if (head.length > 0) tunnel.write(head);
  // Whichever side ends or fails takes the other one with it.
  pipeline(socket, tunnel, () => undefined);
  pipeline(tunnel, socket, () => {
    // All is said. A client that does not close its side in time must not stay.
    setTimeout(() => socket.destroy(), GOODBYE).unref();
  });
}

function answer(native: NativeServer, request: IncomingMessage, response: ServerResponse): void {
  const refuse = (): void => {
    if (response.headersSent) response.destroy();
    else response.writeHead(503, { 'content-length': '0', 'retry-after': '5' }).end();
  };
  let tunnel: Tunnel;
  try {
    tunnel = new Tunnel(native, request.socket);
  } catch {
    refuse();
    return;
  }
  const onward = forward({
    method: request.method,
    path: request.url,
    headers: endToEnd(request.rawHeaders),
    createConnection: () => tunnel,
  });
  onward.on('response', (answered) => {
    response.writeHead(answered.statusCode ?? 502, answered.statusMessage, endToEnd(answered.rawHeaders));
    // Events are to be seen as they come, not when enough of them have.
    response.flushHeaders();
    pipeline(answered, response, () => tunnel.destroy());
  });
  onward.on('error', refuse);
  response.on('close', () => tunnel.destroy());
  // Not a pipeline: that would cut off a client whose request is refused before its end, and the refusal with it. The rest is
  // taken and thrown away, as Node does with what an application does not read.
  request.pipe(onward);
  request.on('close', () => {
    if (!request.complete) onward.destroy();
  });
  response.on('finish', () => {
    request.unpipe(onward);
    request.resume();
  });
}

interface Mounts {
  readonly paths: Map<string, NativeServer>;
  restore(): void;
}

/** Signaling servers by the Node server that they are part of. */
const mounts = new WeakMap<NodeServer, Mounts>();

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split(/[?#]/, 1)[0] ?? '';
}

/** Whatever listeners the application adds, before or after: what is for signaling does not reach them. */
function install(server: NodeServer): Mounts {
  const paths = new Map<string, NativeServer>();
  const find = (path: string): NativeServer | undefined => {
    for (const [base, native] of paths) if (path === base || path.startsWith(`${base}/`)) return native;
    return undefined;
  };
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the server as `this` below
  const original = server.emit as (...args: unknown[]) => boolean;
  const own = Object.prototype.hasOwnProperty.call(server, 'emit');
  const emit = (event: string, ...args: unknown[]): boolean => {
    if (event === 'request' || event === 'checkContinue' || event === 'upgrade') {
      const native = find(pathOf(args[0] as IncomingMessage));
      if (native) {
        if (event === 'upgrade') upgrade(native, ...(args as [IncomingMessage, Socket, Buffer]));
        else {
          const [request, response] = args as [IncomingMessage, ServerResponse];
          if (event === 'checkContinue') response.writeContinue();
          answer(native, request, response);
        }
        return true;
      }
      // Without a listener of the application Node would have made an ordinary request of it, which is too late now.
      if (event === 'upgrade' && server.listenerCount('upgrade') === 1) {
        (args[1] as Socket).end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        return true;
      }
    }
    return original.call(server, event, ...args);
  };
  server.emit = emit as Emit;
  // Node emits upgrades only if somebody listens.
  const listener = (): void => undefined;
  server.on('upgrade', listener);
  const restore = (): void => {
    server.off('upgrade', listener);
    mounts.delete(server);
    // Somebody else may have wrapped it since; without a path ours only passes on.
    if ((server.emit as unknown) !== emit) return;
    if (own) server.emit = original as Emit;
    else delete (server as Partial<NodeServer>).emit;
  };
  const installed = { paths, restore };
  mounts.set(server, installed);
  return installed;
}

/**
 * Lets `native` have everything at `path` of `server`. Returns a function that ends it.
 *
 * @throws TypeError - Another signaling server has that path.
 */
export function embed(server: NodeServer, path: string, native: NativeServer): () => void {
  const base = path.replace(/\/+$/, '');
  const mounted = mounts.get(server) ?? install(server);
  if (mounted.paths.has(base)) throw new TypeError(`another signaling server has the path ${path} of this server`);
  mounted.paths.set(base, native);
  return () => {
    mounted.paths.delete(base);
    if (mounted.paths.size === 0) mounted.restore();
  };
}

/** Where clients on this host find a server that is part of another one; nothing as long as that one does not listen. */
export function embeddedUrl(server: NodeServer, path: string): URL | undefined {
  const address = server.address();
  if (address === null || typeof address === 'string') return undefined;
  const secure = 'setSecureContext' in server;
  const unspecified = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[address.address];
  const host = unspecified ?? (address.family === 'IPv6' ? `[${address.address}]` : address.address);
  return new URL(`${secure ? 'wss' : 'ws'}://${host}:${address.port}${path}`);
}
