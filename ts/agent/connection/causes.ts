// Why a connection does not come about, for the texts of errors.
import { AgentError, messageOf, type ConnectCause } from '../../base';

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
