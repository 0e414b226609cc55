// Candidates that come before their offer: kept, but nobody can fill the memory with them.
import type { SignalingMessage } from 'ossa-webrtc';

import { EarlyMessages } from '../../ts/agent/peer/early-messages';

const candidate = (text: string): SignalingMessage => ({
  type: 'ice-candidate',
  from: 'agent://x',
  to: 'agent://y',
  candidate: { candidate: text, sdpMid: '0', sdpMLineIndex: 0 },
});

test('what an honest agent sends early is there when its offer comes, once', () => {
  const early = new EarlyMessages();
  const messages = Array.from({ length: 20 }, (_, i) => candidate(`candidate:${i} ${'x'.repeat(150)}`));
  for (const message of messages) early.keep('agent://x', message);
  early.keep('agent://x', { ...candidate(''), type: 'answer' });
  expect(early.take('agent://x')).toEqual(messages);
  expect(early.take('agent://x')).toEqual([]);
});

test('few large candidates and many small ones are bounded for each agent, and so are the agents', () => {
  const early = new EarlyMessages();
  for (let i = 0; i < 100; i++) {
    early.keep('agent://large', candidate('x'.repeat(10_000)));
    early.keep('agent://small', candidate('x'));
    early.keep('agent://huge', candidate('x'.repeat(60_000)));
  }
  expect(early.take('agent://large')).toHaveLength(3);
  expect(early.take('agent://small')).toHaveLength(64);
  expect(early.take('agent://huge')).toEqual([]);
  for (let i = 0; i < 100; i++) early.keep(`agent://${i}`, candidate('x'));
  expect(early.take('agent://0')).toEqual([]);
  expect(early.take('agent://99')).toHaveLength(1);
});
