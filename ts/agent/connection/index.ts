// One W3C connection after the other for one link: negotiation, ICE restarts, rebuilding. What travels over it is not known
// here.
export { because } from './causes';
export { LinkConfiguration, withTcp } from './configuration';
export { watchNetwork } from './network-watch';
export { Lifeline } from './lifeline';
export type { LinkState } from './lifeline-host';
export {
  checkedHeartbeat,
  resolveHeartbeat,
  resolveReconnect,
  type ReconnectOptions,
  type ResolvedReconnect,
} from './reconnect-options';
export type { Reconnected, ReconnectReason, ReconnectStep } from './reconnection';
