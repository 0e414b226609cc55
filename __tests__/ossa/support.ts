import {
  InMemorySignalingServer,
  WebRTCTransport,
  type WebRTCMessage,
  type WebRTCTransportConfig,
} from 'ossa-webrtc/ossa';

export const ONE = 'agent://example.com/one';
export const TWO = 'agent://example.com/two';

/** Cleans up after each test, in the order of use. */
export const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0)) await clean();
});

export function newServer(): InMemorySignalingServer {
  const server = new InMemorySignalingServer();
  cleanup.push(() => server.clear());
  return server;
}

/** A transport that is closed after the test. Servers of the Internet are not for tests. */
export function transport(config: Omit<WebRTCTransportConfig, 'iceServers'>): WebRTCTransport {
  const made = new WebRTCTransport({ iceServers: [], ...config });
  cleanup.push(() => made.close());
  return made;
}

export interface Pair {
  server: InMemorySignalingServer;
  one: WebRTCTransport;
  two: WebRTCTransport;
}

/** Two transports that know each other, not connected. */
export function pair(config: Partial<WebRTCTransportConfig> = {}): Pair {
  const server = newServer();
  const [first, second] = [server.registerAgent(ONE), server.registerAgent(TWO)];
  return {
    server,
    one: transport({ agentId: ONE, remoteAgentId: TWO, signaling: first, ...config }),
    two: transport({ agentId: TWO, remoteAgentId: ONE, signaling: second, ...config }),
  };
}

/** Resolves when these channels of a transport are open. Begin to wait before they are. */
export async function channelsOpen(of: WebRTCTransport, labels = ['control', 'data']): Promise<void> {
  const missing = new Set(labels);
  await new Promise<void>((resolve) => {
    of.on('channel:open', (label: string) => {
      missing.delete(label);
      if (missing.size === 0) resolve();
    });
  });
}

/** Two transports, connected by the first. */
export async function connected(config: Partial<WebRTCTransportConfig> = {}, labels?: string[]): Promise<Pair> {
  const made = pair(config);
  const open = [channelsOpen(made.one, labels), channelsOpen(made.two, labels)];
  await made.one.createOffer();
  await Promise.all(open);
  return made;
}

/** The next message of this type. Unlike `once` of Node it does not care about errors. */
export function next<T = unknown>(of: WebRTCTransport, type = 'message'): Promise<WebRTCMessage<T>> {
  return new Promise((resolve) => of.once(type, resolve));
}
