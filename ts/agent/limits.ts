// What an agent keeps in memory for others, and how much of it. Every member has a default and a range.
import { checkInteger, checkMembers } from '../base';

/** Bounds of one agent; what happens at each of them is said there. All are optional. */
export interface Limits {
  /**
   * Messages of one link that are kept until somebody reads them; more are refused with `RATE_LIMIT_EXCEEDED`.
   * Default: 4,096.
   */
  unreadMessages?: number;
  /** Bytes of those messages, as far as they are known. Default: 16 MiB. */
  unreadBytes?: number;
  /**
   * Bytes of one message, sent or received; larger ones are refused with `MESSAGE_TOO_LARGE`. The other side learns
   * it if it is one of ours. Default: 16 MiB.
   */
  messageBytes?: number;
  /** Bytes of all messages of a link of which parts are missing; beyond them `MESSAGE_TOO_LARGE`. Default: 64 MiB. */
  incompleteBytes?: number;
  /** Messages of a link of which parts are missing; further ones are refused with `MESSAGE_TOO_LARGE`. Default: 64. */
  incompleteMessages?: number;
  /** Milliseconds without a part after which such a message is given up and reported as `problem`. Default: 30,000. */
  incompleteIdle?: number;
  /** Messages of a link that wait to be sent; beyond them `send` rejects with `RATE_LIMIT_EXCEEDED`. Default: 65,536. */
  queuedMessages?: number;
  /** Bytes of those messages. A larger one is taken if nothing else waits. Default: 64 MiB. */
  queuedBytes?: number;
  /** Ids that a link remembers to drop messages that come again; older ones are forgotten. Default: 4,096. */
  dedupeIds?: number;
  /** Milliseconds by which the clocks of two agents may differ when a ttl is judged on receipt. Default: 60,000. */
  clockSkew?: number;
  /** Channels of one link that the other side has opened and nobody has taken; more are closed. Default: 1,024. */
  unreadChannels?: number;
  /** Tracks of one link that the other side sends and nobody has taken; more are refused. Default: 64. */
  unreadTracks?: number;
  /**
   * Bytes that the channels of one link have received together and nobody has read, each message counting 64 more than it
   * has. The channel whose message does not fit is closed with `RATE_LIMIT_EXCEEDED`; the link goes on. Default: 64 MiB.
   */
  unreadChannelBytes?: number;
  /**
   * Connections that others begin and that are not open yet. At the bound an authenticated agent takes the place of the
   * oldest one that is not; others are refused with `RATE_LIMIT_EXCEEDED`. Default: 256.
   */
  halfOpen?: number;
  /** Milliseconds until such a connection has to be open; then it gives its place up. Default: 60,000. */
  halfOpenTime?: number;
  /** Agents whose offer or answer is being verified at the same time; further ones are dropped. Default: 256. */
  pendingOffers?: number;
  /**
   * Tokens that are remembered until they expire, so that none is used twice; at the bound new ones are refused.
   * Default: 16,384, of 1.1 KiB at most.
   */
  replays?: number;
  /** Senders that the rate limits tell apart; further ones share one limit. Default: 4,096. */
  senders?: number;
  /** Offers that one sender may make at once; more are refused with `RATE_LIMIT_EXCEEDED`, unverified. Default: 100. */
  offerBurst?: number;
  /** Offers that one sender may make in the long run. Default: 300. */
  offersPerMinute?: number;
  /** Refusals that one sender is told of at once, and that are logged; after them it is told nothing. Default: 5. */
  refusalBurst?: number;
  /** Refusals that one sender is told of in the long run. Default: 12. */
  refusalsPerMinute?: number;
  /** Refusals that all senders together are told of at once, whoever they say they are. Default: 100. */
  allRefusalsBurst?: number;
  /** Refusals that all senders together are told of in the long run. Default: 1,200. */
  allRefusalsPerMinute?: number;
  /** Files of one link that are offered or being received; more are refused. Default: 64. */
  incomingFiles?: number;
  /** Bytes of each such file that may be on their way or wait to be written, from 512 KiB to 64 MiB. Default: 4 MiB. */
  fileWindow?: number;
  /** Calls of this side over one link that wait for an answer; more fail with `RATE_LIMIT_EXCEEDED`. Default: 16,384. */
  pendingCalls?: number;
  /** Calls of the other side of one link whose handlers run at a time; more wait. Default: 16,384. */
  runningCalls?: number;
  /** How many of those may wait; more are refused with `RATE_LIMIT_EXCEEDED`. Default: 1,024. */
  queuedCalls?: number;
  /**
   * Bytes of JSON of the inputs of the running and the waiting calls of one link; more are refused with
   * `RATE_LIMIT_EXCEEDED`. Default: 64 MiB.
   */
  callInputBytes?: number;
}

/** All bounds, with the defaults where nothing was said. */
export type ResolvedLimits = Readonly<Required<Limits>>;

/** Default, least and most of each member. */
const RANGES: { [Name in keyof Required<Limits>]: readonly [value: number, least: number, most: number] } = {
  // A burst that a program reads within a fraction of a second; memory of a few MiB.
  unreadMessages: [4096, 1, 2 ** 24],
  unreadBytes: [16 * 1024 * 1024, 1024, 2 ** 40],
  // What fits into memory many times over, and a second of a fast link.
  messageBytes: [16 * 1024 * 1024, 16_384, 512 * 1024 * 1024],
  incompleteBytes: [64 * 1024 * 1024, 16_384, 2 ** 40],
  // A sender has one large message under way for each priority and channel.
  incompleteMessages: [64, 1, 65_535],
  incompleteIdle: [30_000, 1, 2 ** 31 - 1],
  // With their bookkeeping some 40 MiB, for somebody who does not await `send`.
  queuedMessages: [65_536, 1, 2 ** 24],
  queuedBytes: [64 * 1024 * 1024, 1024, 2 ** 40],
  // What a fast sender has in flight; at most 256 bytes each.
  dedupeIds: [4096, 0, 2 ** 24],
  clockSkew: [60_000, 0, 2 ** 31 - 1],
  // Far more than anybody opens before the other side looks.
  unreadChannels: [1024, 1, 65_535],
  // A meeting, before anybody looks.
  unreadTracks: [64, 1, 65_535],
  // A second of a fast link, for a reader that is late.
  unreadChannelBytes: [64 * 1024 * 1024, 1024, 2 ** 40],
  // Each costs sockets and a handshake.
  halfOpen: [256, 1, 65_535],
  // Twice as long as those who call wait by default.
  halfOpenTime: [60_000, 1, 2 ** 31 - 1],
  // Each may wait five seconds for a key.
  pendingOffers: [256, 1, 65_535],
  // 45 new connections per second at the longest lifetime of a token.
  replays: [16_384, 1, 2 ** 24],
  senders: [4096, 1, 2 ** 20],
  // Far more than reconnecting and renegotiating take.
  offerBurst: [100, 1, 2 ** 24],
  offersPerMinute: [300, 1, 2 ** 24],
  // Enough for people to see what is wrong. None at all is `auth: {silent: true}`.
  refusalBurst: [5, 1, 2 ** 24],
  refusalsPerMinute: [12, 1, 2 ** 24],
  // With made-up senders nobody makes this agent send more than this to others.
  allRefusalsBurst: [100, 1, 2 ** 24],
  allRefusalsPerMinute: [1200, 1, 2 ** 24],
  // With the window of each: 256 MiB at the most, and only while every disk stands still.
  incomingFiles: [64, 0, 65_535],
  // Fills 300 Mbit/s at a round trip of 100 ms.
  fileWindow: [4 * 1024 * 1024, 512 * 1024, 64 * 1024 * 1024],
  // About 3 MiB of bookkeeping; what one of us may have waiting, another one takes.
  pendingCalls: [16_384, 1, 2 ** 24],
  runningCalls: [16_384, 1, 2 ** 24],
  // Enough to smooth a burst; they hold their inputs.
  queuedCalls: [1024, 0, 2 ** 24],
  // Four of the largest messages, or 4 KiB for each of the calls.
  callInputBytes: [64 * 1024 * 1024, 1024, 2 ** 40],
};

/**
 * The bounds of a peer.
 *
 * @throws TypeError - A member is unknown or out of its range.
 */
export function resolveLimits(limits: Limits = {}): ResolvedLimits {
  const names = Object.keys(RANGES) as (keyof Limits)[];
  checkMembers(limits, 'limits', names);
  const resolved: Partial<Record<keyof Limits, number>> = {};
  for (const name of names) {
    const [value, least, most] = RANGES[name];
    resolved[name] = checkInteger(limits[name] ?? value, `limits.${name}`, least, most);
  }
  return resolved as ResolvedLimits;
}
