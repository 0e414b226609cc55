// The agent itself: registers, connects, admits others, and hands messages of the signaling to the links. Everything else is
// done by the rooms below.
export type { AcceptPolicy, Caller } from './admission';
export type { PeerEvents } from './events';
export type { ConnectOptions, PeerOptions } from './options';
export { AgentPeer, createPeer } from './peer';
