// Why a connection does not come about, for the texts of errors.
import { AgentError, messageOf, type ConnectCause } from '../../base';
import type { ReconnectReason } from './reconnection';

/** The causes for people, to be put behind a text, and what to do about the one that was found last: it says the most. Empty without causes. */
export function because(causes: readonly ConnectCause[]): string {
  if (causes.length === 0) return '';
  const texts = causes.map(({ url, code, text }) => {
    const answered = code >= 300 && code < 700 ? ` (${code})` : '';
    return url === undefined ? text : `${url}: ${text}${answered}`;
  });
  const todo = causes.findLast((cause) => cause.todo !== undefined)?.todo;
  return ` (${texts.join('; ')})${todo === undefined ? '' : `: ${todo}`}`;
}

/** What a refusal of the system to give a connection its threads means for a link; other errors are returned as they are. */
export function unmade(remote: string, error: unknown): unknown {
  if ((error as { name?: unknown }).name !== 'OperationError') return error;
  const causes: ConnectCause[] = [{ kind: 'local', code: 701, text: messageOf(error) }];
  const text = `a connection to ${remote} cannot be made${because(causes)}`;
  return new AgentError('AGENT_UNREACHABLE', text, { retryable: true, causes, cause: error });
}

/** The other side has kept silent. */
export function unanswered(remote: string): ConnectCause {
  const todo = 'check that it runs, and that it uses the same signaling service';
  return { kind: 'unanswered', code: 0, text: `${remote} has not answered`, todo };
}

/** What became of the connection to an agent, with its causes. */
export function unreachable(remote: string, what: string, causes: readonly ConnectCause[]): AgentError {
  const text = `the connection to ${remote} ${what}${because(causes)}`;
  return new AgentError('AGENT_UNREACHABLE', text, { retryable: true, causes });
}

/** How a link was lost, to be put behind its name. */
export function givenUp(attempts: number, reason: ReconnectReason): string {
  const tried = attempts === 0 ? '' : `, and ${attempts} new one${attempts === 1 ? '' : 's'} did not work`;
  const why = {
    disconnected: 'nothing came over the network any more',
    failed: 'no path between the agents works',
    heartbeat: 'its heartbeats stopped',
    network: 'the network has changed',
    relay: 'the TURN server that it went through has forgotten it',
    woken: 'this machine slept',
    redialled: 'its new connection did not work',
  }[reason];
  return `was lost (${why})${tried}`;
}
