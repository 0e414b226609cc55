// TURN servers that a signaling server hands to its agents.
import { checkInteger, checkMembers, checkName, describe } from '../../base';
import type { binding } from '../../native';
import { RTCPeerConnection } from '../../w3c';
import type { SignalingAuthMode } from './auth';

/**
 * The option `turn` of {@link createSignalingServer}: agents get credentials that expire, as coturn takes them with
 * `use-auth-secret`, and new ones when half of their time is over.
 */
export interface SignalingTurnOptions {
  /** `turn:`, `turns:` and `stun:` URLs. */
  urls: string | readonly string[];
  /** The `static-auth-secret` of the TURN servers. */
  secret: string;
  /** Seconds that credentials are valid. Default: 3,600. */
  ttl?: number;
  /**
   * What user names say about the agent to those who read the logs of the TURN servers: `'hash'`, the default, is always the
   * same for an agent and does not show which it is; `'uri'` does.
   */
  username?: 'hash' | 'uri';
  /** Also for the agents of an open server, that is for everybody. Default: false. */
  allowOpen?: boolean;
}

/** What the core takes. */
type NativeTurn = NonNullable<ConstructorParameters<typeof binding.SignalingServer>[0]['turn']>;

/**
 * The option `turn` of a server.
 *
 * @throws TypeError - It is not one, or the server is open.
 */
export function resolveTurn(turn: SignalingTurnOptions | undefined, mode: SignalingAuthMode): NativeTurn | undefined {
  checkMembers(turn, 'turn', ['urls', 'secret', 'ttl', 'username', 'allowOpen']);
  if (turn === undefined) return undefined;
  const { secret, ttl = 3600, username = 'hash', allowOpen = false } = turn;
  const urls = typeof turn.urls === 'string' ? [turn.urls] : [...turn.urls];
  if (urls.length === 0) throw new TypeError('turn.urls must have a URL');
  checkName(secret, 'turn.secret');
  checkInteger(ttl, 'turn.ttl', 1, 7 * 86_400);
  if (username !== 'hash' && username !== 'uri') {
    throw new TypeError(`turn.username must be 'hash' or 'uri', not ${describe(username)}`);
  }
  if (typeof allowOpen !== 'boolean') throw new TypeError('turn.allowOpen must be true or false');
  if (mode === 'open' && !allowOpen) {
    throw new TypeError(
      'turn on an open server would let everybody use your TURN servers: set auth, or turn.allowOpen if that is meant',
    );
  }
  try {
    new RTCPeerConnection({ iceServers: [{ urls, username: 'u', credential: 'c' }] }).close();
  } catch (error) {
    throw new TypeError(`turn.urls: ${(error as Error).message}`, { cause: error });
  }
  return { urls, secret, ttl, showAgent: username === 'uri', allowOpen };
}
