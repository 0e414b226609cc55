// The W3C's classes: the same by `import`, `require` and the polyfill; text and binary, small and large, statistics, and the end.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import * as ours from 'ossa-webrtc';
import 'ossa-webrtc/polyfill';
import { connected, echoed } from './pair.mjs';

const required = createRequire(import.meta.url)('ossa-webrtc');
for (const name of Object.keys(required)) assert.equal(ours[name], required[name], name);
assert.equal(globalThis.RTCPeerConnection, ours.RTCPeerConnection);

const { a, b, channel } = await connected();
const large = 'x'.repeat(200_000);
const [text, long, binary] = await echoed(channel, ['hello', large, new Uint8Array([1, 2, 3])]);
assert.equal(text, 'hello');
assert.equal(long, large);
assert.deepEqual(new Uint8Array(binary), new Uint8Array([1, 2, 3]));
const many = Array.from({ length: 5000 }, (_, index) => String(index));
assert.deepEqual(await echoed(channel, many), many);
const stats = [...(await a.getStats()).values()].find(({ type }) => type === 'data-channel');
assert.equal(stats.messagesSent, 5003);
assert.throws(() => new ours.RTCPeerConnection({ iceServers: [{ urls: 'nonsense' }] }), { name: 'SyntaxError' });
await assert.rejects(b.addIceCandidate({ candidate: 'nonsense', sdpMid: '0' }), { name: 'OperationError' });

const closed = new Promise((resolve) => (channel.onclose = resolve));
b.close();
await closed;
a.close();
