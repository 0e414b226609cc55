import { setImmediate } from '../platform';
import type { RTCPeerConnection } from '../w3c';
import { ufragOf, writeFragment } from './fragment';

/** Sends candidates; `false`: the server does not take any. */
export type SendFragment = (fragment: string) => Promise<boolean>;

/**
 * The candidates of a connection on their way to the server, several with one request: those that are found while one is under way wait for
 * the next.
 */
export class Trickle {
  readonly #connection: RTCPeerConnection;
  readonly #send: SendFragment;
  /** Bounded by the addresses that ICE finds. */
  #waiting: string[] = [];
  #complete = false;
  #scheduled = false;
  #stopped = false;
  /** What is sent, is sent in turn: an ICE restart as well. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Whether there is anybody to send to. */
  #open = false;

  constructor(connection: RTCPeerConnection, send: SendFragment) {
    this.#connection = connection;
    this.#send = send;
    connection.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate === null) this.#complete = true;
      else if (candidate.candidate !== '') this.#waiting.push(candidate.candidate);
      this.#schedule();
    });
  }

  /** The session is there: what was found until now is sent. */
  start(): void {
    this.#open = true;
    if (this.#waiting.length > 0 || this.#complete) this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
  }

  /** Does something else between two requests with candidates. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** ICE begins anew: candidates of before are of no use to anybody. */
  restart(): void {
    this.#waiting = [];
    this.#complete = false;
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped || !this.#open) return;
    this.#scheduled = true;
    setImmediate(() => {
      void this.inTurn(() => {
        this.#scheduled = false;
        return this.#flush();
      });
    });
  }

  async #flush(): Promise<void> {
    const description = this.#connection.localDescription?.sdp;
    if (this.#stopped || description === undefined) return;
    const [candidates, complete] = [this.#waiting.splice(0), this.#complete];
    this.#complete = false;
    const ufrag = ufragOf(description)!;
    const current = candidates.filter(
      (candidate) => / ufrag (\S+)/.exec(candidate)?.[1] === ufrag || !/ ufrag /.test(candidate),
    );
    if (current.length === 0 && !complete) return;
    if (!(await this.#send(writeFragment(description, current, complete)))) this.stop();
  }
}
