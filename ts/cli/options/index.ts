// Groups of options that commands share, and what they become: agents, ICE servers, keys, signaling servers.
export {
  AGENT,
  AGENT_GROUPS,
  agentOf,
  CONNECTION,
  randomAgentId,
  readText,
  registered,
  remoteText,
  signalingOf,
  withPeer,
} from './agent';
export { iceServersOf } from './ice';
export { serverOptions, SIGNAL, SIGNAL_GROUPS, tlsOf } from './signal';
export { keyLine } from './trust';
