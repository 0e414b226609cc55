// Fetches a published key set.
import { Agent, get } from 'node:https';

import { clearTimeout, setTimeout } from '../platform';
/** Milliseconds from the request to the last byte. */
const PATIENCE = 5000;

/** A set of 256 keys, with certificates, has less. */
const LARGEST = 256 * 1024;

/** Requests at the same time; the sets of further agents wait. */
const AT_ONCE = 8;

/** Requests that wait for one of those; more fail at once. */
const MAX_WAITING = 256;

/** Fetches key sets over https, each set once at a time. */
export class KeyFetcher {
  readonly #running = new Map<string, Promise<string>>();
  readonly #waiting: (() => void)[] = [];
  /** Connections are not kept: a set is fetched every few minutes. */
  readonly #agent: Agent;
  readonly #abort = new AbortController();
  #busy = 0;

  constructor(ca: string | undefined) {
    this.#agent = new Agent({ keepAlive: false, ca });
  }

  /** Whether the set at `url` is being fetched. */
  busy(url: string): boolean {
    return this.#running.has(url);
  }

  /** The text at `url`. Rejects if it cannot be had, whole and in time. */
  fetch(url: string): Promise<string> {
    let running = this.#running.get(url);
    if (!running) {
      running = this.#queue(url).finally(() => this.#running.delete(url));
      this.#running.set(url, running);
    }
    return running;
  }

  /** Ends what is under way: nobody waits for it any more. */
  close(): void {
    this.#abort.abort();
  }

  async #queue(url: string): Promise<string> {
    if (this.#busy >= AT_ONCE) {
      if (this.#waiting.length >= MAX_WAITING) throw new Error('too many key sets are being fetched');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#busy++;
    }
    try {
      return await download(url, this.#agent, this.#abort.signal);
    } finally {
      // The place goes to the next in line.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#busy--;
    }
  }
}

function download(url: string, agent: Agent, closed: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'application/jwk-set+json, application/json' };
    const request = get(url, { agent, signal: closed, headers });
    // Not `AbortSignal.any()` with `AbortSignal.timeout()`: Node 20 collects that as garbage, and the request never ends.
    const late = () => request.destroy(new Error(`no answer within ${PATIENCE} ms`));
    const timer = setTimeout(late, PATIENCE);
    request.on('close', () => clearTimeout(timer));
    request.on('error', reject);
    request.on('response', (response) => {
      const fail = (text: string) => request.destroy(new Error(text));
      // Redirects are refused as well: the URL is what was agreed on.
      if (response.statusCode !== 200) return void fail(`the server answered ${response.statusCode}`);
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > LARGEST) fail(`more than ${LARGEST} bytes`);
        else parts.push(part);
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.complete) resolve(Buffer.concat(parts).toString('utf8'));
        else reject(new Error('the response is not complete'));
      });
    });
  });
}
