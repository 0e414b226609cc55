// A server of Node and a signaling server on the same port: prints what each is told, as JSON.
import { createServer } from 'node:net';

import { createSignalingServer } from 'ossa-webrtc';

const [host, port] = [process.argv[2], Number(process.argv[3])];
const shown = ({ code, errno, syscall, address, port, message }) => ({ code, errno, syscall, address, port, message });
const ofNode = await new Promise((resolve) => createServer().on('error', resolve).listen(port, host));
const ours = await createSignalingServer({ host, port }).catch((error) => error);
console.log(JSON.stringify([shown(ofNode), shown(ours)]));
