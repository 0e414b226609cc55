// A signaling server with a relay, and ways to use it.
import { createHmac } from 'node:crypto';

import { createSignalingServer, RTCPeerConnection } from 'ossa-webrtc';
import type {
  RTCIceServer,
  RTCTransportOptions,
  SignalingRelayOptions,
  SignalingServer,
  SignalingServerOptions,
} from 'ossa-webrtc';

/** Of all relays here. */
export const SECRET = 'the north remembers';

/** A relay on loopback. */
export function serve(
  relay: SignalingRelayOptions = {},
  options: SignalingServerOptions = {},
): Promise<SignalingServer> {
  return createSignalingServer({ auth: { mode: 'tofu' }, relay: { secret: SECRET, ...relay }, ...options });
}

/** Credentials that are good for a minute. */
export function credentials(agent = 'somebody', secret = SECRET): { username: string; credential: string } {
  const username = `${Math.floor(Date.now() / 1000) + 60}:${agent}`;
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}

/** The relay as a stack is told of it. */
export function iceServer({ port }: SignalingServer, transport: 'udp' | 'tcp' | 'tls', agent?: string): RTCIceServer {
  const url =
    transport === 'tls' ? `turns:127.0.0.1:${port}?transport=tcp` : `turn:127.0.0.1:${port}?transport=${transport}`;
  return { urls: [url], ...credentials(agent) };
}

/** `'relay'` if the relay gives a port, or the code of its refusal. Several: one connection after the other, all open at once. */
export async function relayed(server: RTCIceServer, transport: RTCTransportOptions = {}): Promise<string | number> {
  const connection = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: 'relay', transport });
  try {
    const outcome = new Promise<string | number>((resolve) => {
      connection.onicecandidate = ({ candidate }) => {
        if (candidate?.type === 'relay') resolve('relay');
      };
      connection.onicecandidateerror = ({ errorCode }) => resolve(errorCode);
    });
    connection.createDataChannel('x');
    await connection.setLocalDescription();
    return await outcome;
  } finally {
    connection.close();
  }
}
