// What an agent keeps in memory for others, and how much of it. Every member has a default and a range.
import { checkInteger, checkMembers } from './options';

/** Bounds of one agent; what happens at each of them is said there. All are optional. */
export interface Limits {
  /**
   * Messages of one link that are kept until somebody reads them; more are refused with `RATE_LIMIT_EXCEEDED`.
   * Default: 4,096.
   */
  unreadMessages?: number;
  /** Bytes of those messages, as far as they are known. Default: 16 MiB. */
  unreadBytes?: number;
  /** Channels of one link that the other side has opened and nobody has taken; more are closed. Default: 1,024. */
  unreadChannels?: number;
}

/** All bounds, with the defaults where nothing was said. @internal */
export type ResolvedLimits = Readonly<Required<Limits>>;

/** Default, least and most of each member. */
const RANGES: { [Name in keyof Required<Limits>]: readonly [value: number, least: number, most: number] } = {
  // A burst that a program reads within a fraction of a second; memory of a few MiB.
  unreadMessages: [4096, 1, 2 ** 24],
  unreadBytes: [16 * 1024 * 1024, 1024, 2 ** 40],
  // Far more than anybody opens before the other side looks.
  unreadChannels: [1024, 1, 65_535],
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
