import { EventEmitter } from 'node:events';

import type { RTCIceCandidate, RTCIceCandidateInit } from 'ossa-webrtc';

/** The specification's `SignalingMessage`, with a candidate as it is sent (an object) or received (plain data). */
export interface SignalingMessage {
  type: 'offer' | 'answer' | 'ice-candidate' | 'error';
  from: string;
  to: string;
  sessionId?: string;
  sdp?: string;
  candidate?: RTCIceCandidate | RTCIceCandidateInit;
  error?: { code: string; message: string };
}

/** The `signaling` object of the specification's examples: messages travel as JSON text, as over a WebSocket. */
export class Signaling extends EventEmitter {
  /** Hands a message to the other end. */
  deliver: (text: string) => void = () => {};
  /** Whether messages still have a taker. A candidate after `close()` would be an unhandled rejection of the examples. */
  isOver: () => boolean = () => false;

  send(message: SignalingMessage): void {
    this.deliver(JSON.stringify(message));
  }

  /**
   * A message has come in: heard by its type and as 'message', in a turn of its own. Messages between processes may
   * come several at a time, and the examples need the answer to be set before a candidate is added.
   */
  received(text: string): void {
    setImmediate(() => {
      if (this.isOver()) return;
      const message = JSON.parse(text) as SignalingMessage;
      this.emit('message', message);
      this.emit(message.type, message);
    });
  }
}

/** The two ends of one signaling service. */
export function signalingPair(): [Signaling, Signaling] {
  const a = new Signaling();
  const b = new Signaling();
  a.deliver = (text) => b.received(text);
  b.deliver = (text) => a.received(text);
  return [a, b];
}
