// What every room stands on: errors, events, signals to give up, checks of options, the logger. Knows nothing of agents,
// connections or the native library.
export type { CandidateCounts, ConnectCause, ConnectCauseKind } from './causes';
export { cancelled, onAbort, orCancelled } from './abort';
export {
  checkFunction,
  checkInteger,
  checkMembers,
  checkMilliseconds,
  checkName,
  checkSignal,
  describe,
} from './checks';
export {
  AgentError,
  errorFromJson,
  errorFromStranger,
  messageOf,
  nativeAgentCall,
  reportError,
  type AgentErrorCode,
  type AgentErrorOptions,
} from './errors';
export { Budget, Emitter, Inbox, type EventArguments } from './events';
export { Gate } from './gate';
export { toJson } from './json';
export { checkLogger, type LogFields, type Logger } from './logger';
export { replaceFile } from './replace-file';
export { refusalOf, systemErrorInWords } from './system-errors';
