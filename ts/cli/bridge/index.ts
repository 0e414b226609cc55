// Between MCP sessions of links and the standard input and output of programs: servers that are started, and the client that has started us.
export { ChildServer, type ChildHost } from './child-server';
export { deliverTo, sendFrom } from './stdio';
