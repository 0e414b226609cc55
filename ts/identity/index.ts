// Who an agent is: its URI, its keys, and where the keys of others are found. Who may connect is decided elsewhere, in
// `agent/auth` and `signaling/server`.
export { normalizeAgentUri } from './agent-uri';
export { KeyLookup, type NativeAuth, type Refusal } from './key-lookup';
export {
  AgentKeys,
  generateAgentKeys,
  loadAgentKeys,
  saveAgentKeys,
  type AgentKeyAlgorithm,
  type GenerateAgentKeysOptions,
} from './keys';
export { KnownKeys, type KnownKeysOptions } from './known-keys';
export { keySetTimes, resolveAuth, type AuthSettings } from './options';
export type { PublicJwk, PublicKeyInput } from './public-key';
export type { AuthHow, AuthMode, AuthOptions, JwksOptions } from './types';
