// JSON as it travels.
import { AgentError, messageOf } from './errors';

/** JSON of a value as it travels; `undefined`, which JSON does not have, becomes `null`. */
export function toJson(value: unknown, what: string): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    throw new AgentError('INVALID_MESSAGE', `${what} cannot be written as JSON: ${messageOf(error)}`, { cause: error });
  }
}
