// A process that may not open another file; to be run with a low limit: `ulimit -n 256`. Prints what it is told, as JSON.
import { openSync } from 'node:fs';

import { createPeer, createSignalingServer, MemorySignaling, RTCPeerConnection } from 'ossa-webrtc';

function useUpFiles() {
  try {
    for (;;) openSync('/dev/null');
  } catch (error) {
    if (error.code !== 'EMFILE') throw error;
  }
}

/** createPeer() tries its options on a connection. What that had open is closed in the next turn of the event loop. */
async function closed() {
  for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
}

async function gather() {
  const connection = new RTCPeerConnection();
  const errors = [];
  connection.onicecandidateerror = ({ errorText, errorCode, url }) => errors.push({ errorText, errorCode, url });
  connection.createDataChannel('x');
  const complete = new Promise((resolve) => (connection.onicecandidate = ({ candidate }) => candidate ?? resolve()));
  await connection.setLocalDescription();
  await complete;
  return { connection, errors };
}

/** Lives as long as the process, and so do the threads of connections. */
let first;

const SITUATIONS = {
  /** The first connection of the process, which has to make its threads. */
  'first-connection': async () => {
    useUpFiles();
    await gather();
  },
  /** A later one. */
  icecandidateerror: async () => {
    first = await gather();
    useUpFiles();
    return (await gather()).errors;
  },
  connect: async () => {
    const signaling = new MemorySignaling();
    const [a, b] = ['a', 'b'].map((name) => createPeer({ agentId: `agent://${name}`, signaling }));
    await Promise.all([a.ready, b.ready]);
    first = await gather();
    useUpFiles();
    await a.connect('agent://b', { timeout: 1000 });
  },
  'create-peer': async () => {
    useUpFiles();
    createPeer({ agentId: 'agent://a', signaling: 'ws://127.0.0.1:1' });
  },
  'first-connect': async () => {
    const signaling = new MemorySignaling();
    const [a, b] = ['a', 'b'].map((name) => createPeer({ agentId: `agent://${name}`, signaling }));
    await Promise.all([a.ready, b.ready]);
    await closed();
    useUpFiles();
    await a.connect('agent://b', { timeout: 1000 });
  },
  'signaling-server': async () => {
    useUpFiles();
    await createSignalingServer();
  },
  registration: async () => {
    const peer = createPeer({ agentId: 'agent://a', signaling: 'ws://127.0.0.1:1' });
    useUpFiles();
    await peer.ready;
  },
};

try {
  console.log(JSON.stringify({ result: await SITUATIONS[process.argv[2]]() }));
} catch (error) {
  const { name, code, message, details } = error;
  console.log(JSON.stringify({ error: { name, code, message, details } }));
}
first?.connection.close();
process.exit();
