// PeerJS in Node with `ossa-webrtc/polyfill`, over its own server; the program is in fixtures/peerjs.js.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const program = join(__dirname, '..', 'fixtures', 'peerjs.js');

test.each([
  ['json', 1000],
  ['binary', 200_000], // PeerJS cuts it into chunks
])('two PeerJS clients connect and exchange data with %s serialization', async (serialization, length) => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, serialization]);
  expect(JSON.parse(stdout)).toEqual({ there: { text: 'hello', list: [1, 2, 3] }, back: length });
});
