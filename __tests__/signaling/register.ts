import { WebSocketSignaling, type WebSocketSignalingOptions } from 'ossa-webrtc';

/** Registers an agent with a server, without a second attempt, and gives its name up again. */
export async function register(url: string, options: WebSocketSignalingOptions = {}): Promise<void> {
  const signaling = new WebSocketSignaling(url, { firstAttempts: 1, ...options });
  const end = await signaling.subscribe(
    'agent://a',
    () => undefined,
    () => undefined,
  );
  await end();
}
