// The options `heartbeat` and `reconnect` of a peer.
import { checkInteger, checkMembers, checkMilliseconds } from '../../base';

/** How a link comes back when its connection is lost; times in milliseconds. */
export interface ReconnectOptions {
  /**
   * New connections to try before the link is given up; 0 for none: then an ICE restart is all. None is tried, and no time counts, while this
   * machine has no network; then they are counted anew. Default: 5.
   */
  attempts?: number;
  /**
   * Go on for as long as the link lives, whatever `attempts` says: for programs that nobody restarts. Both sides should say so. Default: `false`.
   */
  forever?: boolean;
  /** Longest wait after the first attempt that failed; it doubles from there: 2, 4, 8, 16 s. Default: 2,000. */
  delay?: number;
  /** No wait is longer. Default: 30,000. */
  maxDelay?: number;
  /**
   * Share of a wait that chance takes off at most, 0 to 1, so that agents which lost a third one together do not all
   * come back at the same moment. Default: 0.25.
   */
  jitter?: number;
  /** Time for one attempt, and for the first ICE restart; further ones have up to `maxDelay` more. Default: 15,000. */
  attemptTimeout?: number;
  /** How long the state `disconnected` may last before ICE is restarted: it often passes by itself. Default: 5,000. */
  grace?: number;
  /** How often the addresses of this machine are looked at for changes; 0 for never. Default: 1,000. */
  networkInterval?: number;
}

/** All of it, with the defaults where nothing was said. */
export interface ResolvedReconnect extends Required<Omit<ReconnectOptions, 'forever'>> {
  /** `reconnect: false`: a lost connection ends the link. */
  enabled: boolean;
}

const MEMBERS = [
  'attempts',
  'forever',
  'delay',
  'maxDelay',
  'jitter',
  'attemptTimeout',
  'grace',
  'networkInterval',
] as const;

/** What the core takes for an attempt after the other without an end. */
const FOREVER = 2 ** 32 - 1;

/** As in the specification. */
const HEARTBEAT = 30_000;

/** A heartbeat more often than this is a mistake in the unit: the option is in milliseconds. */
const FASTEST_HEARTBEAT = 10;

/** More attempts than anybody waits for: at 30 s each, three and a half days. */
const MOST_ATTEMPTS = 10_000;

/**
 * Milliseconds between heartbeats, 0 for none.
 *
 * @throws TypeError - Neither `false` nor a number in range.
 */
export function resolveHeartbeat(value: number | false | undefined): number {
  if (value === false) return 0;
  return checkInteger(value ?? HEARTBEAT, 'heartbeat (milliseconds, or false)', FASTEST_HEARTBEAT, 2 ** 31 - 1);
}

/**
 * The option `reconnect`.
 *
 * @throws TypeError - A member is unknown or out of its range.
 */
export function resolveReconnect(value: ReconnectOptions | false | undefined): ResolvedReconnect {
  const options = value === false ? {} : (value ?? {});
  checkMembers(options, 'reconnect', MEMBERS);
  const time = (name: 'delay' | 'maxDelay' | 'attemptTimeout' | 'grace', fallback: number) =>
    checkMilliseconds(options[name] ?? fallback, `reconnect.${name}`);
  const { forever = false, jitter = 0.25, networkInterval = 1000 } = options;
  if (typeof forever !== 'boolean') {
    throw new TypeError(`reconnect.forever must be true or false, not ${String(forever)}`);
  }
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1)) {
    throw new TypeError(`reconnect.jitter must be a number from 0 to 1, not ${String(jitter)}`);
  }
  const attempts = checkInteger(options.attempts ?? 5, 'reconnect.attempts', 0, MOST_ATTEMPTS);
  return {
    enabled: value !== false,
    attempts: value === false ? 0 : forever ? FOREVER : attempts,
    delay: time('delay', 2000),
    maxDelay: time('maxDelay', 30_000),
    jitter,
    attemptTimeout: time('attemptTimeout', 15_000),
    grace: time('grace', 5000),
    networkInterval: networkInterval === 0 ? 0 : checkMilliseconds(networkInterval, 'reconnect.networkInterval'),
  };
}

/** What the other side says about its heartbeats, within what this side would accept as an option. */
export function checkedHeartbeat(announced: number): number {
  return announced === 0 ? 0 : Math.min(Math.max(announced, FASTEST_HEARTBEAT), 2 ** 31 - 1);
}
