// "Message Format" and "Message Chunking" of the specification, as published.
import { randomUUID as uuid } from 'node:crypto';

import type { RTCDataChannel } from 'ossa-webrtc';

export interface WebRTCMessage {
  type: 'message' | 'capability_call' | 'capability_response' | 'status' | 'error';
  id: string; // Unique message ID
  timestamp: string; // ISO 8601 timestamp
  payload: unknown; // Message-specific data
  metadata: {
    agentId: string; // Sender agent URI
    channelId?: string; // Data channel identifier
    correlationId?: string; // Request/response matching
    priority?: 'low' | 'normal' | 'high' | 'critical';
    ttl?: number; // Time-to-live in seconds
    chunked?: {
      // For large messages
      chunkIndex: number;
      totalChunks: number;
      messageId: string;
    };
  };
}

export const sendMessage = (channel: RTCDataChannel, message: WebRTCMessage) => {
  if (channel.readyState !== 'open') {
    throw new Error('Data channel not open');
  }

  const data = JSON.stringify(message);
  const maxSize = 16 * 1024; // 16KB chunks

  if (data.length > maxSize) {
    // Chunk large messages
    sendChunkedMessage(channel, message);
  } else {
    channel.send(data);
  }
};

export const sendChunkedMessage = (channel: RTCDataChannel, message: WebRTCMessage) => {
  const data = JSON.stringify(message);
  const chunkSize = 16 * 1024;
  const totalChunks = Math.ceil(data.length / chunkSize);
  const messageId = uuid();

  for (let i = 0; i < totalChunks; i++) {
    const chunk = data.slice(i * chunkSize, (i + 1) * chunkSize);
    const chunkMessage: WebRTCMessage = {
      ...message,
      payload: chunk,
      metadata: {
        ...message.metadata,
        chunked: {
          chunkIndex: i,
          totalChunks,
          messageId,
        },
      },
    };

    channel.send(JSON.stringify(chunkMessage));
  }
};

/** The specification's receiving side: the handler of `onmessage` and `handleChunkedMessage`. */
export function receiver(processMessage: (message: WebRTCMessage) => void): (event: MessageEvent) => void {
  const chunks = new Map<string, { parts: unknown[]; received: number }>();

  const handleChunkedMessage = (chunk: WebRTCMessage) => {
    const { messageId, chunkIndex, totalChunks } = chunk.metadata.chunked!;

    if (!chunks.has(messageId)) {
      chunks.set(messageId, { parts: [], received: 0 });
    }

    const message = chunks.get(messageId)!;
    message.parts[chunkIndex] = chunk.payload;
    message.received++;

    if (message.received === totalChunks) {
      const fullData = message.parts.join('');
      const fullMessage = JSON.parse(fullData) as WebRTCMessage;
      processMessage(fullMessage);
      chunks.delete(messageId);
    }
  };

  return (event) => {
    const message = JSON.parse(event.data as string) as WebRTCMessage;

    if (message.metadata.chunked) {
      handleChunkedMessage(message);
    } else {
      processMessage(message);
    }
  };
}
