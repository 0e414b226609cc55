// What Node 22 has and libraries expect, for Node 20.
import { WebSocket } from 'ws';

globalThis.WebSocket ??= WebSocket;
globalThis.navigator ??= { userAgent: 'node' };
Promise.withResolvers ??= () => {
  let settle;
  const promise = new Promise((resolve, reject) => (settle = { resolve, reject }));
  return { promise, ...settle };
};
