// One signaling server in a process of its own: `node bench/signaling/server.mjs ossa|peer|ws [options as JSON]`. Prints the port as JSON,
// ends with its standard input.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

import { WebSocketServer } from 'ws';

const require = createRequire(import.meta.url);
const host = '127.0.0.1';
const options = JSON.parse(process.argv[3] ?? '{}');

const servers = {
  async ossa() {
    const { createSignalingServer } = require('../../index.js');
    const server = await createSignalingServer({ host, port: 0, ...options });
    while (options.cluster && server.stats().cluster.state !== 'connected') {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return Number(new URL(server.url).port);
  },

  /** PeerJS' server as its documentation starts it; its limit of 5,000 clients is raised. */
  async peer() {
    const { ExpressPeerServer } = require('peer');
    const express = createRequire(require.resolve('peer'))('express');
    const app = express();
    const server = createServer(app);
    app.use(ExpressPeerServer(server, { path: '/', concurrent_limit: 50_000 }));
    return listen(server);
  },

  /** A relay as one writes it with `ws`: parse, look up, forward what came. */
  async ws() {
    const server = createServer();
    const agents = new Map();
    new WebSocketServer({ server }).on('connection', (socket) => {
      let own;
      socket.on('message', (data) => {
        const text = data.toString();
        const message = JSON.parse(text);
        if (message.type === 'register') {
          own = message.agentId;
          agents.set(own, socket);
          socket.send(JSON.stringify({ type: 'registered', agentId: own }));
          return;
        }
        const recipient = agents.get(message.to);
        if (message.from !== own) socket.send(JSON.stringify({ type: 'error', message: 'not your name' }));
        else if (recipient) recipient.send(text);
        else socket.send(JSON.stringify({ type: 'error', to: own, message: 'not here' }));
      });
      socket.on('close', () => agents.delete(own));
      socket.on('error', () => socket.terminate());
    });
    return listen(server);
  },
};

function listen(server) {
  // Node's default of 511 pending connections turns a rush away that the kernel would hold.
  return new Promise((resolve) => {
    server.listen({ host, port: 0, backlog: 4096 }, () => resolve(server.address().port));
  });
}

console.log(JSON.stringify({ port: await servers[process.argv[2]]() }));
process.stdin.on('end', () => process.exit(0)).resume();
