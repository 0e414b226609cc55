// The table in docs/specification.md tells the truth: what it names exists, runs, and is about the block in question.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'specification.md'), 'utf8');
const rows = [...page.matchAll(/^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$/gm)].map(([, number, section, ...files]) => ({
  number: Number(number),
  section: section!,
  files: files.flatMap((cell) => [...cell.matchAll(/`((?:__tests__|examples)\/[^`]+)`/g)].map(([, file]) => file!)),
}));

/** What the counterpart of each block contains, so that a table that has gone out of date is found. */
const traces: Record<string, RegExp> = {
  'Signaling Phase': /answerCalls\(|createOffer\(\)/,
  'ICE Candidate Exchange': /exchangeCandidates\(/,
  'Data Channel Creation': /createDataChannel\('ossa-channel', \{ ordered: true, maxRetransmits: 3 \}\)/,
  'OSSA WebRTC Message': /WebRTCMessage/,
  'Sending Messages': /sendMessage\(/,
  'Receiving Messages': /receiver\(/,
  'Reliable Ordered Channel': /'reliable',/,
  'Unreliable Unordered Channel': /'unreliable', \{ ordered: false, maxRetransmits: 0 \}/,
  'Partial Reliability Channel': /'partial', \{ ordered: true, maxRetransmits: 3 \}/,
  Multiplexing: /negotiated: true,\s+id: 2/,
  'Message Chunking': /sendChunkedMessage/,
  'Signaling Server API': /switch \(msg\.type\)/,
  'STUN Servers': /stun1\.l\.google\.com:19302/,
  'TURN Servers': /iceCandidatePoolSize: 10/,
  'ICE Strategy': /rtcpMuxPolicy: 'require'/,
  'Connection State Monitoring': /onconnectionstatechange/,
  'Reconnection Strategy': /1000 \* Math\.pow\(2, attempt\)/,
  'Keep-Alive': /heartbeatInterval = setInterval/,
  Authentication: /verifyOffer = async/,
  Permissions: /allowedPeers\.has\(offer\.from\)/,
  'Buffer Management': /sendWithBackpressure/,
  'Binary Data': /processBinaryMessage\(view\)/,
  'Agent Mesh Networking': /connections\.set\(neighbor, pc\)/,
  'Large Data Transfer': /'file-transfer'/,
  'Real-time Collaboration': /type: 'state_update'/,
};

test('the table has a row for each of the 25 code blocks', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
  expect(rows.map(({ section }) => section)).toEqual(Object.keys(traces));
});

test.each(rows)('$number $section', ({ section, files }) => {
  // Jest runs the first; __tests__/examples.test.ts runs every example.
  expect(files[0]).toMatch(/^__tests__\/spec\/.+\.test\.ts$/);
  for (const file of files) expect(existsSync(join(root, file))).toBe(true);
  expect(readFileSync(join(root, files[0]!), 'utf8')).toMatch(traces[section]!);
});
