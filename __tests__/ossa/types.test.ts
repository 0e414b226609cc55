// The types of `ossa-webrtc/ossa` accept what a program for the public reference passes, and give what it expects. The
// compiler checks this file; Jest only sees that the names are there.
import { EventEmitter } from 'node:events';

import type { RTCIceCandidateInit, RTCIceServer, RTCPeerConnectionState } from 'ossa-webrtc';
import * as ossa from 'ossa-webrtc/ossa';

/** Mutual assignability. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
const same = <A, B>(..._: Same<A, B> extends true ? [] : ['not the same']) => undefined;

type Level = 'low' | 'normal' | 'high' | 'critical';

test('the classes have the methods of the reference, with its parameters and results', () => {
  interface Transport {
    createOffer(): Promise<void>;
    handleOffer(sdp: string): Promise<void>;
    handleAnswer(sdp: string): Promise<void>;
    addIceCandidate(candidate: RTCIceCandidateInit): Promise<void>;
    close(): Promise<void>;
    send<T>(
      channelLabel: string,
      type: ossa.WebRTCMessageType,
      payload: T,
      options?: { correlationId?: string; priority?: Level; ttl?: number },
    ): Promise<void>;
    invokeCapability<TInput, TOutput>(
      capability: string,
      input: TInput,
      options?: { channel?: string; timeout?: number },
    ): Promise<TOutput>;
    isConnected(): boolean;
    getConnectionState(): RTCPeerConnectionState | 'closed';
  }
  same<Pick<ossa.WebRTCTransport, keyof Transport>, Pick<Transport, keyof Transport>>();
  same<Exclude<keyof ossa.WebRTCTransport, keyof EventEmitter>, keyof Transport>();
  interface Server {
    registerAgent(agentId: string): EventEmitter;
    unregisterAgent(agentId: string): void;
    clear(): void;
  }
  same<Pick<ossa.InMemorySignalingServer, keyof Server>, Pick<Server, keyof Server>>();
  for (const made of [ossa.WebRTCTransport, ossa.InMemorySignalingServer])
    expect(made.prototype).toBeInstanceOf(EventEmitter);
  expect(Object.keys(ossa).sort()).toEqual(['InMemorySignalingServer', 'WebRTCTransport']);
});

test('the messages and options have the members of the reference', () => {
  same<
    ossa.WebRTCMessageType,
    'message' | 'capability_call' | 'capability_response' | 'status' | 'error' | 'heartbeat'
  >();
  same<
    ossa.WebRTCMessage<number>,
    {
      type: ossa.WebRTCMessageType;
      id: string;
      timestamp: string;
      payload: number;
      metadata: ossa.WebRTCMessageMetadata;
    }
  >();
  same<ossa.WebRTCMessage['payload'], unknown>();
  same<
    ossa.WebRTCMessageMetadata,
    {
      agentId: string;
      channelId?: string;
      correlationId?: string;
      priority?: Level;
      ttl?: number;
      chunked?: { chunkIndex: number; totalChunks: number; messageId: string };
    }
  >();
  same<ossa.SignalingMessageType, 'offer' | 'answer' | 'ice-candidate' | 'error'>();
  same<
    ossa.SignalingMessage,
    {
      type: ossa.SignalingMessageType;
      from: string;
      to: string;
      sessionId?: string;
      sdp?: string;
      candidate?: RTCIceCandidateInit;
      error?: { code: string; message: string };
    }
  >();
  same<
    ossa.DataChannelConfig,
    {
      label: string;
      ordered?: boolean;
      maxPacketLifeTime?: number;
      maxRetransmits?: number;
      protocol?: string;
      negotiated?: boolean;
      id?: number;
    }
  >();
  same<
    ossa.WebRTCTransportConfig,
    {
      agentId: string;
      remoteAgentId: string;
      iceServers?: RTCIceServer[];
      signaling: EventEmitter;
      channels?: ossa.DataChannelConfig[];
      chunkSize?: number;
      heartbeatInterval?: number;
    }
  >();
});

test('listeners may declare what they expect', () => {
  const agent = new ossa.InMemorySignalingServer().registerAgent('agent://a');
  const transport = new ossa.WebRTCTransport({ agentId: 'agent://a', remoteAgentId: 'agent://b', signaling: agent });
  transport.on('message', (message: ossa.WebRTCMessage<{ text: string }>) => message.payload.text);
  transport.on('channel:error', ({ channel }: { channel: string; error: Event }) => channel);
  class Special extends ossa.WebRTCTransport {
    ask = (): Promise<number> => this.invokeCapability<string, number>('ask', 'x', { timeout: 1 });
  }
  expect(Special.prototype).toBeInstanceOf(EventEmitter);
});
