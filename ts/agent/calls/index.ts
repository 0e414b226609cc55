// Calls of capabilities, both ways: answers, streams of results, turns and time limits. How their messages travel is not
// known here.
export { Calls, checkCall } from './calls';
export { CallRegistry, checkFailAs, type CallingLink, type Capability } from './registry';
export { ResultStream } from './stream';
export type { CallOptions, FailAs, HandleOptions } from './types';
