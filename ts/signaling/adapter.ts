// How agents reach each other before they are connected: the message, and the interface that brings it across.
import type { AgentError } from '../base';
import type { AgentKeys } from '../identity';
import type { RTCIceServer } from '../w3c';

/** A trickled ICE candidate, `RTCIceCandidateInit` of W3C. */
export interface SignalingCandidate {
  /** `candidate:...` (RFC 8839 section 5.1). */
  candidate?: string;
  /** Media stream identification of the section it belongs to. */
  sdpMid?: string | null;
  /** Index of that section, from 0. */
  sdpMLineIndex?: number | null;
  /** ICE username fragment of the generation it belongs to. */
  usernameFragment?: string | null;
}

/** What two agents tell each other to set up a connection: the `SignalingMessage` of the OSSA specification. */
export interface SignalingMessage {
  /** What the message is. */
  type: 'offer' | 'answer' | 'ice-candidate' | 'error';
  /** Sender. Only an `error` may lack it: it then comes from the signaling service, not from an agent. */
  from?: string;
  /** Recipient. */
  to: string;
  /** Names one connection set-up; echoed by the other side. */
  sessionId?: string;
  /** The description of an offer or answer. We send a string and accept `{type, sdp}` as well. */
  sdp?: string | { type?: string; sdp: string };
  /** Null, absent or with an empty `candidate`: there are no more. */
  candidate?: SignalingCandidate | null;
  /** Proof of the sender's identity, on offers and answers: a signed token, and the key that it is signed with. */
  auth?: { token: string; publicKey: string };
  /** Of an `error`: a code such as `UNAUTHORIZED`, and a text for people. */
  error?: { code: string; message: string };
}

/** Ends a subscription; resolves when that is done. */
export type Unsubscribe = () => void | Promise<void>;

/** What may be said about a change in a room. */
export interface RoomDetails {
  /**
   * The agent has just come into the room, or come back after it was away: those who are new in the list were there
   * before it. The first list means that anyhow.
   */
  entered?: boolean;
  /**
   * Those who are not in the list any more because they wanted to leave. Others that are missing are lost to the
   * signaling service only: open links to them are kept. Default: everybody who is missing has left.
   */
  left?: readonly string[];
  /** The service does not let the agent back in, and is asked again and again. */
  problem?: AgentError;
}

/** What an adapter may make use of. */
export interface SubscriptionContext {
  /** The agent's own keys, for services that want proof of its name. */
  readonly keys?: AgentKeys;
  /** Says that others can find the agent, for the first time or again: links that wait for the service go on. May be left out. */
  registered?(): void;
  /**
   * Offers ICE servers to the agent, in place of those offered before. They are used for connections and ICE restarts from
   * then on. Those that should count for the first connection have to be offered before `subscribe()` has resolved.
   */
  offerIceServers(servers: readonly RTCIceServer[]): void;
}

/** Takes the agents that are in a room, the listener's own agent included. */
export type RoomListener = (members: readonly string[], details?: RoomDetails) => void;

/**
 * A way for signaling messages to get from agent to agent: two functions over whatever you have, and a third one if there
 * are to be rooms.
 */
export interface SignalingAdapter {
  /**
   * Hands a message over for delivery to `message.to`. Messages of one sender to one recipient must arrive in order.
   * If it throws or rejects, the set-up fails with that error.
   */
  send(message: SignalingMessage): void | Promise<void>;
  /**
   * Starts to deliver the messages for an agent. `deliver` never throws. `failed` may be called once, when
   * nothing will be delivered any more. `context` is for services that want to know who the agent is or offer it ICE servers.
   */
  subscribe(
    agentId: string,
    deliver: (message: SignalingMessage) => void,
    failed: (error: AgentError) => void,
    context?: SubscriptionContext,
  ): Unsubscribe | Promise<Unsubscribe>;
  /**
   * Puts an agent that has subscribed into a room. `onMembers` is called once with those who are in it, and then after
   * every change; it never throws. Without this function there are no rooms.
   * @returns a function that takes the agent out of the room. It throws or rejects if the agent may not enter.
   */
  join?(room: string, agentId: string, onMembers: RoomListener): Unsubscribe | Promise<Unsubscribe>;
}

/** Adapters may hand on what naive peers send: a description instead of its text. */
export function sdpOf({ sdp }: SignalingMessage): string {
  return typeof sdp === 'string' ? sdp : (sdp?.sdp ?? '');
}

const isText = (value: unknown) => typeof value === 'string';
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isAbsentOr = (check: (value: unknown) => boolean, value: unknown) => value === undefined || check(value);
const isNullOr = (check: (value: unknown) => boolean, value: unknown) => value == null || check(value);

/**
 * Whether what an adapter delivers has the types of a message. Strangers may have written it, and not every service checks
 * what it hands on: what is none is dropped before anything reads it.
 */
export function isSignalingMessage(value: unknown): value is SignalingMessage {
  if (!isObject(value)) return false;
  const { type, from, sessionId, sdp, candidate } = value;
  if (!isText(type) || !isAbsentOr(isText, from) || !isAbsentOr(isText, sessionId)) return false;
  if (!isAbsentOr((text) => isText(text) || (isObject(text) && isText(text.sdp)), sdp)) return false;
  return isNullOr(
    (init) =>
      isObject(init) &&
      isAbsentOr(isText, init.candidate) &&
      isNullOr(isText, init.sdpMid) &&
      isNullOr((index) => typeof index === 'number', init.sdpMLineIndex) &&
      isNullOr(isText, init.usernameFragment),
    candidate,
  );
}
