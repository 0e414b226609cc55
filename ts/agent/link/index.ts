// A link to one other agent: puts connection, messages, calls, channels and files together. Who else there is it does not
// know.
export type { CallContext, CapabilityHandler } from './handlers';
export { Link } from './link';
export type { LinkEvents, LinkHost } from './types';
