// Who may connect, and whether they are who they say: stands between the signaling and the links. Keys are in `identity`.
export { resolveAllow, type AllowOption } from './allow';
export { Guard } from './guard';
export type { Refused, RemoteAgent } from './types';
