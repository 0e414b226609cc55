// The names of agents.
import { AgentError, describe, nativeAgentCall } from '../base';
import { binding } from '../native';

/**
 * The canonical form of an agent URI: scheme and host lower-cased.
 *
 * @throws TypeError - It is not one; the message says what is wrong.
 */
export function normalizeAgentUri(uri: string): string {
  if (typeof uri !== 'string') throw new TypeError(`an agent URI is a string, not ${describe(uri)}`);
  try {
    return nativeAgentCall(() => binding.normalizeAgentUri(uri));
  } catch (error) {
    if (error instanceof AgentError) throw new TypeError(error.message, { cause: error });
    throw error;
  }
}
