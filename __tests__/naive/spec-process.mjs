// The specification's agent in a Node process: `fork('spec-process.mjs', [ours|wrtc])`, calls and results by IPC.
import wrtc from '@roamhq/wrtc';
import WebSocket from 'ws';

import { RTCPeerConnection } from 'ossa-webrtc';

import { specDriver } from './spec-driver.mjs';

const stacks = { ours: RTCPeerConnection, wrtc: wrtc.RTCPeerConnection };
const driver = specDriver({ RTCPeerConnection: stacks[process.argv[2]], WebSocket });

process.on('message', async ({ id, method, params }) => {
  try {
    process.send({ id, result: await driver[method](params) });
  } catch (error) {
    process.send({ id, error: String(error) });
  }
});
// The stack may keep the process for a while, or for ever.
process.on('disconnect', () => process.exit(0));
// As in a browser. The specification's code adds candidates even of an offer that it has refused, and does not expect an error.
process.on('unhandledRejection', (error) => console.warn(`Uncaught (in promise) ${error}`));
