// `ossa-webrtc/a2a`: the Agent2Agent protocol over links, for the official SDK, which does the protocol on both sides: here is only the way
// of its messages, as calls.
export { a2aClientFactory, LinkCardResolver, LinkTransportFactory, type A2aClientOptions } from './client';
export { serveA2a, type A2aServing, type ServeA2aOptions } from './server';
export { LINK_BINDING } from './wire';
