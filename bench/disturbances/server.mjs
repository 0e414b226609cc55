// The signaling server of `run.mjs`: `node server.mjs HOST PORT true|false`, the last for its relay. Prints its URL.
import { createSignalingServer } from '../../index.js';

const [host, port, relay] = process.argv.slice(2);
const options = relay === 'true' ? { relay: { allowOpen: true } } : {};
const server = await createSignalingServer({ host, port: Number(port), ...options });
console.log(server.url);
