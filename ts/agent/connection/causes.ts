// Why a connection does not come about, as far as this side has been told: servers that did not help, and failures of this machine.
import { AgentError, messageOf } from '../../base';
import type { RTCPeerConnectionIceErrorEvent } from '../../w3c';

/** More than a configuration has servers; they repeat themselves at every attempt. */
const MAX_CAUSES = 16;

/** One of them; those of a failed `connect()` are the member `causes` of its error's `details`. */
export interface Cause {
  /** The STUN or TURN server; absent if this machine failed. */
  readonly url?: string;
  /** What the server answered (RFC 8489, RFC 8656); 701: it was not reached; 0 for signaling. */
  readonly code: number;
  /** In words. */
  readonly text: string;
}

/** What is known of one connection. */
export class Causes {
  readonly #causes = new Map<string, Cause>();

  /** A server has failed, or this machine. */
  note({ url, errorCode: code, errorText: text }: RTCPeerConnectionIceErrorEvent): void {
    const key = `${url} ${code} ${text}`;
    if (this.#causes.size < MAX_CAUSES) this.#causes.set(key, { ...(url && { url }), code, text });
  }

  get all(): Cause[] {
    return [...this.#causes.values()];
  }
}

/** The causes for people, to be put behind a text; empty if there are none. */
export function because(causes: readonly Cause[]): string {
  const texts = causes.map(({ url, code, text }) => {
    const answered = code >= 300 && code < 700 ? ` (${code})` : '';
    return url === undefined ? text : `${url}: ${text}${answered}`;
  });
  return texts.length === 0 ? '' : ` (${texts.join('; ')})`;
}

/** The same for programs: the `details` of an error; nothing if there are none. */
export function detailsOf(causes: readonly Cause[]): { causes: readonly Cause[] } | undefined {
  return causes.length === 0 ? undefined : { causes };
}

/** What a refusal of the system to give a connection its threads means for a link; other errors are returned as they are. */
export function unmade(remote: string, error: unknown): unknown {
  if ((error as { name?: unknown }).name !== 'OperationError') return error;
  const causes: Cause[] = [{ code: 701, text: messageOf(error) }];
  const text = `a connection to ${remote} cannot be made${because(causes)}`;
  return new AgentError('AGENT_UNREACHABLE', text, { retryable: true, details: detailsOf(causes), cause: error });
}
