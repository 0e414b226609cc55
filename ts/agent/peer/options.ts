import type { Logger } from '../../base';
import type { AuthOptions } from '../../identity';
import type { SignalingAdapter } from '../../signaling';
import type { RTCConfiguration } from '../../w3c';
import type { AllowOption } from '../auth';
import type { FailAs } from '../calls';
import type { ReconnectOptions } from '../connection';
import type { Limits } from '../limits';
import type { ChannelPreset } from '../messages';
import type { Tracing } from '../tracing';
import type { AcceptPolicy } from './admission';

/** Options of {@link createPeer}; every member of `RTCConfiguration` as well. */
export interface PeerOptions extends RTCConfiguration {
  /** The URI under which other agents find this one, `agent://example.com/name`. */
  agentId: string;
  /**
   * How to find the others: the URL of a signaling server (`ws://` and `wss://`, or `http://` and `https://` where WebSockets do not
   * get through), a list of those of which the first that can be reached is used, or an adapter.
   */
  signaling: string | URL | readonly (string | URL)[] | SignalingAdapter;
  /**
   * How the names of agents are proven; see docs/security.md. Without it nobody's is: the signaling service alone vouches
   * for them.
   */
  auth?: AuthOptions;
  /** Who may connect; everybody by default. Asked after authentication, for each offer, and before `accept`. */
  allow?: AllowOption;
  /** Decides whether an agent that calls gets a link. Default: every one does. */
  accept?: AcceptPolicy;
  /** The channels that carry messages; both sides must use the same. Default: `'single'`. See docs/channels.md. */
  channels?: ChannelPreset;
  /**
   * Milliseconds between heartbeats, at least 10; `false` for none. The other side counts as dead when it has sent some
   * and three of its intervals pass without a sign of life. Default: 30,000.
   */
  heartbeat?: number | false;
  /** How a link comes back when its connection is lost; `false`: it does not, the link closes. */
  reconnect?: ReconnectOptions | false;
  /** What is kept in memory for others, and how much of it. */
  limits?: Limits;
  /** Hears what the agent does. Default: nobody. */
  logger?: Logger;
  /** Traces and measures what the agent does: `openTelemetry()` of `ossa-webrtc/tracing`. Default: nothing does. */
  tracing?: Tracing;
  /**
   * Whether to use the ICE servers that the signaling service offers, besides `iceServers`: TURN servers of
   * `createSignalingServer({turn})`, for example. Default: true.
   */
  signalingIceServers?: boolean;
  /**
   * Lets `npx ossa-webrtc top` of the same user show the links of this agent; see docs/security.md. Default: what the environment
   * variable `OSSA_WEBRTC_INSPECT` says, `1` or `0`; without it, no.
   */
  inspect?: boolean;
  /** What failures of calls travel as, unless a handler says otherwise. Default: `'error'`. */
  failAs?: FailAs;
}

/** Options of `connect`. */
export interface ConnectOptions {
  /** Milliseconds until it must be connected. Default: 30,000. */
  timeout?: number;
  /**
   * Milliseconds, at most `timeout`, for which an agent that the signaling service does not know is called again: it may be
   * just starting. 0: called once; `Infinity`: for as long as `timeout` allows. Default: 3,000.
   */
  waitForPeer?: number;
  /** Gives up waiting. */
  signal?: AbortSignal;
}
