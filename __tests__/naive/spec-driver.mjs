// The specification's agent behind calls that a test can make, in a page or in a Node process.
import { newKeys, specAgent, webSocketSignaling } from '../../examples/browser/spec-agent.mjs';

/** The calls, each `async (params) => result`; the values cross as JSON. */
export function specDriver({ RTCPeerConnection, WebSocket }) {
  const inbox = [];
  const readers = [];
  let signaling;
  let agent;

  const process = (message) => {
    if (message.type === 'capability_call') return { echo: message.payload.input };
    const reader = readers.shift();
    if (reader) reader(message);
    else inbox.push(message);
  };

  return {
    /** A new agent; the one before should be closed. */
    async start({ url, agentId, remoteAgentId, sign, allowed, heartbeat, reliable }) {
      inbox.length = readers.length = 0;
      signaling = webSocketSignaling(WebSocket, url, agentId);
      const keys = sign ? await newKeys() : undefined;
      const options = { keys, heartbeat, reliable, allowedPeers: allowed && new Set(allowed) };
      agent = specAgent({ RTCPeerConnection, signaling, agentId, remoteAgentId, process, options });
      await signaling.ready;
      return { publicKey: keys?.agentPublicKey };
    },
    connect: () => agent.connect().then(() => true),
    async open() {
      await agent.open;
      return true;
    },
    async send({ text, type }) {
      agent.send(text, type);
    },
    async sendAll({ text, count, size }) {
      agent.sendAll(Array.from({ length: count }, (_, i) => `${text} ${i} `.padEnd(size, '.')));
    },
    async call({ capability, input }) {
      const { type, payload } = await agent.call(capability, input);
      return { type, payload };
    },
    async sendState(state) {
      agent.sendState(state);
    },
    async sendBinary({ bytes }) {
      agent.sendBinary(bytes);
    },
    /** The next message that came in; calls and their responses do not count. */
    next: () => (inbox.length > 0 ? Promise.resolve(inbox.shift()) : new Promise((resolve) => readers.push(resolve))),
    async close() {
      agent.close();
      signaling.close();
    },
  };
}
