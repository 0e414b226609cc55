// Stands between the signaling service and a peer: signs what goes out, lets in what is who it says it is.
import { AgentError, nativeAgentCall, type Logger } from '../../base';
import {
  KeyLookup,
  keySetTimes,
  normalizeAgentUri,
  type AuthMode,
  type AuthSettings,
  type NativeAuth,
  type Refusal,
} from '../../identity';
import { binding, patience } from '../../native';
import { sdpOf, type SignalingMessage } from '../../signaling';
import type { RTCPeerConnection } from '../../w3c';
import type { ResolvedLimits } from '../limits';
import type { Allow } from './allow';
import { fingerprintOf, matches, remoteCertificate, SetUps, type Shown } from './set-ups';
import type { Refused, RemoteAgent } from './types';
import { WaitingRoom } from './waiting-room';

/** A link as far as its guard knows it. */
export interface GuardedLink {
  /** Made by the other side. */
  readonly incoming: boolean;
  readonly state: string;
  readonly remote: Pick<RemoteAgent, 'agentId'>;
  readonly lifeline: { readonly sessionId: string | undefined };
  /** Resolves when the link has a connection. */
  readonly opened: Promise<void>;
  fail(error: AgentError): void;
}

/** What a guard needs of its peer. */
export interface GuardHost {
  readonly agentId: string;
  readonly limits: ResolvedLimits;
  readonly logger: Logger;
  /** The links that are open or being made, oldest first. */
  readonly links: ReadonlyMap<string, GuardedLink>;
  /** A message that may be acted on. */
  deliver(message: SignalingMessage): void;
  /** Sends an `error`. Never throws. */
  reply(message: SignalingMessage): void;
  /** The answer to an own offer was refused. */
  answerRefused(remote: string, sessionId: string | undefined, error: AgentError): void;
  /** Tells the application. */
  refused(refused: Refused): void;
}

type Description = SignalingMessage & { type: 'offer' | 'answer' };

const RATE_LIMITED: Refusal = { reason: 'rate-limited', message: 'the sender has made too many offers' };
const HALF_OPEN: Refusal = { reason: 'half-open', message: 'too many connections are being made' };
const NOT_ALLOWED: Refusal = { reason: 'not-allowed', message: 'the sender is not on the allowlist' };
const NO_TOKEN: Refusal = { reason: 'token-missing', message: 'the message has no token' };
const NOTHING_SHOWN: Shown = {
  authenticated: false,
  how: 'none',
  jti: undefined,
  fingerprints: undefined,
  remember: undefined,
};
const INTERNAL: Refusal = { reason: 'internal', message: 'the message could not be verified' };

/** The security of one peer. */
export class Guard {
  readonly #host: GuardHost;
  readonly #settings: AuthSettings;
  readonly #allow: Allow | undefined;
  readonly #native: NativeAuth;
  readonly #lookup: KeyLookup;
  readonly #setUps = new SetUps();
  readonly #room: WaitingRoom;

  constructor(host: GuardHost, settings: AuthSettings, allow: Allow | undefined) {
    this.#host = host;
    this.#settings = settings;
    this.#allow = allow;
    const { keys } = settings;
    const own = keys ? { privateKey: keys.exportPrivateKey(), kid: keys.kid } : {};
    this.#native = nativeAgentCall(
      () => new binding.AgentAuth({ ...nativeOptions(host), ...keySetTimes(settings), ...own }),
    );
    this.#lookup = new KeyLookup(settings, this.#native, host.logger);
    this.#room = new WaitingRoom(host.limits.pendingOffers, (message) => this.#decide(message));
  }

  /** The mode in force. */
  get mode(): AuthMode {
    return this.#settings.mode;
  }

  /** Signs an offer or answer, if there are keys; leaves other messages as they are. */
  seal(message: SignalingMessage): SignalingMessage {
    const { keys } = this.#settings;
    const { type, to, sessionId } = message;
    if (type !== 'offer' && type !== 'answer') return message;
    const setUp = this.#setUps.at(to, sessionId);
    if (type === 'offer') this.#setUps.offered(to, setUp);
    if (!keys) return message;
    const answer = type === 'answer';
    const answers = answer ? setUp.theirs : undefined;
    const signed = nativeAgentCall(() => this.#native.sign(answer, to, sessionId, sdpOf(message), answers))!;
    if (!answer) setUp.ours = signed.jti;
    return { ...message, auth: { token: signed.token, publicKey: keys.publicKey } };
  }

  /** Takes a message from the signaling service; those of one agent keep their order. */
  receive(message: SignalingMessage): void {
    if (message.from === undefined) return this.#host.deliver(message);
    let remote: string;
    try {
      remote = normalizeAgentUri(message.from);
    } catch {
      return;
    }
    if (remote !== this.#host.agentId) this.#room.enter(remote, message);
  }

  /** What the last token of a set-up has shown. It counts for a connection only when `confirm` has agreed. */
  identify(agentId: string, sessionId: string | undefined): RemoteAgent {
    const { authenticated = false, how = 'none' } = this.#setUps.get(agentId, sessionId)?.shown ?? {};
    return { agentId, authenticated, how };
  }

  /**
   * Compares the certificate of a connection whose DTLS handshake is done with what was signed for it.
   *
   * @throws AgentError - `AUTH_FAILED`: it is another one, or nothing was signed where that is required.
   */
  confirm(agentId: string, sessionId: string | undefined, connection: RTCPeerConnection): RemoteAgent {
    const certificate = remoteCertificate(connection);
    const shown = this.#setUps.get(agentId, sessionId)?.shown;
    const unsigned = this.mode === 'none' || this.mode === 'spec-literal';
    const expected = shown?.fingerprints;
    const right = expected ? certificate !== undefined && matches(certificate, expected) : unsigned;
    if (!right) {
      this.#host.logger.warn('certificate refused', { remote: agentId });
      const text = `the connection to ${agentId} has another certificate than the one that was signed; it was closed`;
      throw new AgentError('AUTH_FAILED', text, { details: { reason: 'certificate-mismatch' } });
    }
    if (shown?.remember !== undefined) this.#remember(agentId, shown.remember);
    const fingerprint = certificate && fingerprintOf(certificate);
    return { ...this.identify(agentId, sessionId), ...(fingerprint !== undefined && { fingerprint }) };
  }

  /** Another agent has begun to make this link. If it does not go on, its place is for others. */
  began(link: GuardedLink): void {
    const { halfOpenTime } = this.#host.limits;
    const end = patience(halfOpenTime, () => {
      if (link.state !== 'connecting') return;
      const text = `${link.remote.agentId} has not completed its connection within ${halfOpenTime} ms`;
      link.fail(new AgentError('AGENT_UNREACHABLE', text, { retryable: true }));
    });
    link.opened.then(end, end);
  }

  /** Nothing is let in any more. */
  close(): void {
    this.#room.close();
    this.#lookup.close();
  }

  /** First use: the first one to complete a connection is the one that is remembered. */
  #remember(agentId: string, key: string): void {
    const { known } = this.#settings;
    const before = known?.get(agentId);
    if (!known || before === key) return;
    if (before !== undefined || known.full) {
      const reason = before === undefined ? 'known-keys-full' : 'key-mismatch';
      const text = `${agentId} cannot be trusted on first use: ${before === undefined ? 'no more agents can be remembered' : 'another key was remembered meanwhile'}`;
      throw new AgentError('AUTH_FAILED', text, { details: { reason } });
    }
    known.set(agentId, key);
    known.saved().catch(({ code }: NodeJS.ErrnoException) => {
      // It counts while this process lives; the next one would take any key for the first.
      this.#host.logger.error('the known keys could not be written', { remote: agentId, code });
    });
  }

  /** Lets a message in, at once or when it has been verified. */
  #decide(message: SignalingMessage): void | Promise<void> {
    const { type } = message;
    if (type !== 'offer' && type !== 'answer') return this.#host.deliver(message);
    const description = { ...message, type, from: normalizeAgentUri(message.from!) } as Description & { from: string };
    if (type === 'offer' && !this.#native.takeOffer(description.from)) return this.#refuse(description, RATE_LIMITED);
    const checks = this.mode !== 'none' || (type === 'offer' && this.#allow !== undefined);
    if (!checks) return this.#admit(description, this.#unverified(description));
    return this.#verify(description);
  }

  async #verify(message: Description & { from: string }): Promise<void> {
    let refusal: Refusal;
    try {
      const shown = this.mode === 'none' ? this.#unverified(message) : await this.#authenticate(message);
      if ('reason' in shown) refusal = shown;
      // After it is clear who it is: an allowlist of names that anybody can use would keep nobody out.
      else if (message.type === 'offer' && !(await this.#allows(message.from))) refusal = NOT_ALLOWED;
      else return this.#admit(message, shown);
    } catch {
      refusal = INTERNAL;
    }
    if (!this.#room.closed) this.#refuse(message, refusal);
  }

  async #allows(remote: string): Promise<boolean> {
    try {
      return this.#allow === undefined || (await this.#allow(remote));
    } catch {
      this.#host.logger.warn('the function allow failed or took more than 5 s', { remote });
      return false;
    }
  }

  /** Mode `none`: the answer still names the offer, for the other side may verify. */
  #unverified(message: Description & { from: string }): Shown {
    const { token } = authOf(message);
    const theirs = token === undefined ? undefined : (this.#native.unverifiedJti(token) ?? undefined);
    return { ...NOTHING_SHOWN, jti: theirs };
  }

  async #authenticate(message: Description & { from: string }): Promise<Shown | Refusal> {
    const { from, type, sessionId: session } = message;
    const { token, publicKey } = authOf(message);
    const answer = type === 'answer';
    if (token === undefined) {
      // The specification signs offers only: its answers are taken where nothing is proven anyway.
      if (!answer || this.mode !== 'spec-literal') return NO_TOKEN;
      return NOTHING_SHOWN;
    }
    const header = this.#native.header(token);
    if (header.refusal != null) return { reason: header.refusal, message: header.text ?? '' };
    const found = await this.#lookup.find(from, header.kid ?? undefined);
    if ('reason' in found) return found;
    const answers = answer ? this.#setUps.answered(from, session)?.ours : undefined;
    const presented = { token, publicKey, from, answer, session, sdp: sdpOf(message), answers };
    const verdict = nativeAgentCall(() => this.#native.verify(presented, found.trust, [...found.keys]));
    if (verdict.refusal != null) return { reason: verdict.refusal, message: verdict.text ?? '' };
    return {
      authenticated: found.trust === 'keys',
      how: found.how,
      jti: verdict.jti ?? undefined,
      fingerprints: verdict.fingerprints ?? [],
      remember: found.trust === 'first-use' ? verdict.key?.pem : undefined,
    };
  }

  #admit(message: Description & { from: string }, shown: Shown): void {
    if (this.#room.closed) return;
    const { from, sessionId, type } = message;
    if (type === 'offer' && !this.#hasRoom(from, shown.authenticated)) return this.#refuse(message, HALF_OPEN);
    const answer = type === 'answer';
    // Only now: what strangers send leaves nothing behind.
    const setUp = (answer ? this.#setUps.answered(from, sessionId) : undefined) ?? this.#setUps.at(from, sessionId);
    setUp.shown = shown;
    if (!answer) setUp.theirs = shown.jti;
    this.#host.deliver(message);
  }

  /**
   * Whether one more connection may be made for somebody else. At the bound an authenticated agent takes the place of the
   * oldest one that is not; nobody else is let in.
   */
  #hasRoom(remote: string, authenticated: boolean): boolean {
    const { links, limits } = this.#host;
    if (links.has(remote)) return true;
    const waiting = [...links.values()].filter((link) => link.incoming && link.state === 'connecting');
    if (waiting.length < limits.halfOpen) return true;
    const weakest =
      authenticated &&
      waiting.find((link) => !this.identify(link.remote.agentId, link.lifeline.sessionId).authenticated);
    if (!weakest) return false;
    const text = `the set-up gave way to an authenticated agent; ${limits.halfOpen} others are under way`;
    weakest.fail(new AgentError('RATE_LIMIT_EXCEEDED', text, { retryable: true }));
    return true;
  }

  #refuse(message: Description & { from: string }, { reason, message: text }: Refusal): void {
    const { from: agentId, type, sessionId } = message;
    this.#host.refused({ agentId, type, reason, message: text });
    const heard = this.#native.takeRefusal(agentId);
    if (heard) this.#host.logger.warn(`${type} refused`, { remote: agentId, reason });
    // A copy of what was accepted before, from a service that delivers twice or from an attacker, must not end what the
    // original has begun.
    if (reason === 'replayed') return;
    if (type === 'answer') {
      const code = reason === 'expired' ? 'AUTH_EXPIRED' : 'AUTH_FAILED';
      const error = new AgentError(code, `the answer of ${agentId} was refused: ${text}`, { details: { reason } });
      this.#host.answerRefused(agentId, sessionId, error);
    } else if (heard && !this.#settings.silent) {
      const busy = reason === RATE_LIMITED.reason || reason === HALF_OPEN.reason;
      // Why is for the log here: whoever asks must not learn which keys, names and clocks would do.
      const error = busy
        ? { code: 'RATE_LIMIT_EXCEEDED', message: 'too many connections; try again later' }
        : { code: 'UNAUTHORIZED', message: 'not authorized' };
      this.#host.reply({ type: 'error', from: this.#host.agentId, to: agentId, sessionId, error });
    }
  }
}

/** What the core needs to know besides the keys. */
function nativeOptions({ agentId, limits }: GuardHost) {
  const { replays, senders } = limits;
  return {
    agentId,
    replays,
    senders,
    offers: { burst: limits.offerBurst, perMinute: limits.offersPerMinute },
    refusals: { burst: limits.refusalBurst, perMinute: limits.refusalsPerMinute },
    allRefusals: { burst: limits.allRefusalsBurst, perMinute: limits.allRefusalsPerMinute },
  };
}

/** What the message brings to prove its sender: anything, for it is a stranger's. */
function authOf({ auth }: SignalingMessage): { token?: string; publicKey?: string } {
  if (typeof auth !== 'object' || auth === null) return {};
  const { token, publicKey } = auth as { token?: unknown; publicKey?: unknown };
  return {
    ...(typeof token === 'string' && { token }),
    ...(typeof publicKey === 'string' && { publicKey }),
    ...(typeof publicKey === 'object' && publicKey !== null && { publicKey: JSON.stringify(publicKey) }),
  };
}
