// How urgent something is: channels and messages.
import { describe } from '../../base';

/** How urgent something is; a channel's priority is its weight among the channels of the connection. */
export type Priority = 'low' | 'normal' | 'high' | 'critical';

const PRIORITIES: readonly Priority[] = ['low', 'normal', 'high', 'critical'];

/** Names of W3C for our priorities (both stand for the weights 128, 256, 512 and 1024 of RFC 8831). */
export const W3C_PRIORITY = { low: 'very-low', normal: 'low', high: 'medium', critical: 'high' } as const;

/** One of the four priorities, if there is one. */
export function checkPriority(value: unknown, what: string): Priority | undefined {
  if (value === undefined || PRIORITIES.includes(value as Priority)) return value as Priority | undefined;
  throw new TypeError(`${what} must be one of ${PRIORITIES.join(', ')}, not ${describe(value)}`);
}
