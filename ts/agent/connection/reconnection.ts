// Keep-alive and reconnection of one link: the native core decides what is due, this drives it with one timer.
import { clearTimeout, now, setTimeout } from '../../platform';
import { binding } from '../../native';
import { watchNetwork } from './network-watch';
import type { ResolvedReconnect } from './reconnect-options';

type Monitor = InstanceType<typeof binding.LinkMonitor>;
type Step = NonNullable<ReturnType<Monitor['expire']>>;

/** Why a link looks for a better connection. */
export type ReconnectReason =
  /** Nothing has come over the network for some seconds. */
  | 'disconnected'
  /** ICE or DTLS have given up, or the message channel has failed. */
  | 'failed'
  /** The other agent's heartbeats are missing. */
  | 'heartbeat'
  /** This machine has other addresses or another default route than before. */
  | 'network'
  /** The path led through a TURN server that has forgotten this agent. */
  | 'relay'
  /** This machine, or this program, stood still. */
  | 'woken'
  /** The other agent has made a new connection. */
  | 'redialled';

/** What a link does to come back. */
export interface ReconnectStep {
  /**
   * `'ice-restart'`: looks for a path for the connection that there is, nothing is lost; `'rebuild'`: makes a new connection;
   * `'wait'`: the other side makes one, or is making it.
   */
  readonly how: 'ice-restart' | 'rebuild' | 'wait';
  /** What led to it. */
  readonly reason: ReconnectReason;
  /** Number of the attempt, from 1, among those of its kind; 0 for `'wait'`. */
  readonly attempt: number;
  /** Milliseconds until it begins; for `'wait'`, for how long this side waits. */
  readonly delay: number;
}

/** How a link has come back. */
export interface Reconnected {
  /** `'same'`: over the connection that it had, nothing was lost; `'rebuilt'`: over a new one. */
  readonly how: 'same' | 'rebuilt';
  /** New connections that were tried. */
  readonly attempts: number;
  /** Milliseconds without a working connection. */
  readonly downtime: number;
}

/** What the reconnection needs of its link. */
export interface ReconnectionHost {
  /** Time to say that this side lives. */
  beat(): void;
  /** Restart ICE on the present connection. */
  restartIce(): void;
  /** Tell the offer that waits for its answer once more. */
  repeat(): void;
  /** The present connection is given up. */
  suspend(): void;
  /** Make a new one. */
  rebuild(): void;
  /** Tells what is being done. `lost`: the connection does not work. */
  step(step: ReconnectStep, lost: boolean): void;
  recovered(how: Reconnected): void;
  giveUp(attempts: number, reason: ReconnectReason): void;
}

/** The watch over one link, from its first open connection on. */
export class Reconnection {
  readonly #host: ReconnectionHost;
  readonly #monitor: Monitor;
  readonly #unwatch: () => void;
  #timer: NodeJS.Timeout | undefined;
  #reason: ReconnectReason = 'disconnected';
  /** When something came in that need not be told at once: told before anybody is declared dead. */
  #heard: number | undefined;
  readonly #enabled: boolean;
  #down = false;
  #closed = false;

  constructor(host: ReconnectionHost, heartbeat: number, options: ResolvedReconnect, offerer: boolean) {
    this.#host = host;
    const { attempts, delay, maxDelay, jitter, attemptTimeout, grace, networkInterval, enabled } = options;
    const config = { heartbeat, attempts, delay, maxDelay, jitter, attemptTimeout, grace };
    this.#monitor = new binding.LinkMonitor(config, offerer);
    this.#enabled = enabled;
    this.#unwatch =
      enabled && networkInterval > 0
        ? watchNetwork(networkInterval, (change, online) => {
            if (change === 'woken') this.networkChanged('woken');
            else this.#network(online);
          })
        : () => undefined;
    this.#arm();
  }

  /** Whether this side dials when the connection is lost. */
  get offerer(): boolean {
    return this.#monitor.offerer;
  }

  /** The connection does not answer, which may pass. */
  disconnected(): void {
    this.#because('disconnected');
    this.#down = true;
    this.#monitor.disconnected();
    this.#arm();
  }

  /** The same connection works again. */
  connected(): void {
    this.#take(this.#monitor.connected());
  }

  /** A new connection is open. */
  rebuilt(): void {
    this.#take(this.#monitor.rebuilt());
  }

  /** ICE has failed on a connection that was open. DTLS lives on, and so does what is above it. */
  pathFailed(): void {
    this.#because('failed');
    this.#down = true;
    this.#take(this.#monitor.pathFailed());
  }

  /** The other side has said something about the present connection: it has it still. */
  answered(): void {
    this.#monitor.answered();
  }

  /** The other side wants to restart ICE on a connection that was given up here. */
  asked(): void {
    this.#take(this.#monitor.asked());
  }

  /** The connection, or the attempt to make one, has failed. */
  failed(): void {
    this.#because('failed');
    this.#down = true;
    this.#take(this.#monitor.failed());
  }

  /** The restart, or the attempt to make one, came to nothing: the signaling service does not know the other side at the moment. */
  absent(): void {
    this.#because('failed');
    this.#down = true;
    this.#take(this.#monitor.absent());
  }

  /** The path in use is gone, and only an ICE restart helps. */
  pathLost(): void {
    this.#because('relay');
    this.#take(this.#monitor.pathLost());
  }

  /** The other side's offer of a new connection is being answered. */
  redialled(): void {
    this.#because('redialled');
    this.#down = true;
    this.#monitor.redialled();
    this.#arm();
  }

  /** Looks for a better path now. */
  networkChanged(reason: 'network' | 'woken'): void {
    this.#because(reason);
    this.#take(this.#monitor.networkChanged());
  }

  /** The signaling service is there again: whoever waits for the next attempt need not. */
  signalingReturned(): void {
    if (this.#down) this.networkChanged('network');
  }

  #network(online: boolean): void {
    this.#because('network');
    this.#take(this.#monitor.network(online));
  }

  /** The other side has said how often it sends heartbeats; 0 for never. */
  announced(heartbeat: number): void {
    this.#monitor.announced(heartbeat);
    this.#arm();
  }

  /** A heartbeat has come. */
  heartbeat(): void {
    this.#monitor.heartbeat();
    this.#arm();
  }

  /** Something else has come. Cheap: called for every message. */
  traffic(): void {
    this.#heard = now();
  }

  close(): void {
    this.#closed = true;
    this.#unwatch();
    this.#monitor.close();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The first reason is what people want to know; what follows are its consequences. */
  #because(reason: ReconnectReason): void {
    if (!this.#down) this.#reason = reason;
  }

  #take(step: Step | null | undefined): void {
    if (step && !this.#closed) this.#do(step);
    this.#arm();
  }

  #do({ kind, time = 0, attempt = 0, lost = false }: Step): void {
    const reason = this.#reason;
    switch (kind) {
      case 'heartbeat':
        return this.#host.beat();
      case 'dead':
        this.#because('heartbeat');
        this.#down = true;
        return;
      case 'woken':
        return this.#because('woken');
      case 'restart-ice':
        if (!this.#enabled) return;
        this.#host.step({ how: 'ice-restart', reason, attempt, delay: 0 }, lost);
        return this.#host.restartIce();
      case 'repeat':
        return this.#host.repeat();
      case 'schedule':
        this.#host.suspend();
        return this.#host.step({ how: 'rebuild', reason, attempt, delay: time }, true);
      case 'wait':
        this.#host.suspend();
        return this.#host.step({ how: 'wait', reason, attempt: 0, delay: time }, true);
      case 'rebuild':
        return this.#host.rebuild();
      case 'recovered':
        this.#down = false;
        return this.#host.recovered({ how: attempt > 0 ? 'rebuilt' : 'same', attempts: attempt, downtime: time });
      case 'give-up':
        return this.#host.giveUp(attempt, reason);
    }
  }

  /** One timer for the nearest deadline. */
  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closed) return;
    const wait = this.#monitor.nextTimeout();
    if (wait == null) return;
    this.#timer = setTimeout(() => this.#expire(), Math.min(Math.ceil(wait), 2 ** 31 - 1));
    // An open connection keeps the process alive by itself; one that is to come back does not.
    if (!this.#down) this.#timer.unref();
  }

  #expire(): void {
    if (this.#heard !== undefined) this.#monitor.traffic(now() - this.#heard);
    this.#heard = undefined;
    for (let step; !this.#closed && (step = this.#monitor.expire());) this.#do(step);
    this.#arm();
  }
}
