export { AgentKeys, generateAgentKeys, loadAgentKeys, saveAgentKeys } from './keys';
export type { AgentKeyAlgorithm, GenerateAgentKeysOptions } from './keys';
export { KnownKeys } from './known-keys';
export type { KnownKeysOptions } from './known-keys';
export type {
  AllowOption,
  AuthHow,
  AuthMode,
  AuthOptions,
  JwksOptions,
  PublicJwk,
  PublicKeyInput,
  Refused,
  RemoteAgent,
} from './types';
