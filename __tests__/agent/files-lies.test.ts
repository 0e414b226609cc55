// Senders of files that do not keep to the protocol.
import { readdirSync } from 'node:fs';

import type { AgentError, RTCDataChannel } from 'ossa-webrtc';

import { filePair, OFFER } from './files-setup';

const pair = filePair();

describe('a sender that lies', () => {
  test('about the checksum: nothing of the file remains', async () => {
    const incoming = pair.offered();
    const { channel, answer } = await pair.liar();
    channel.send(OFFER);
    const file = (await incoming).accept({ directory: pair.inbox });
    expect(await answer()).toEqual({ type: 'preparing' });
    expect(await answer()).toMatchObject({ type: 'accept', offset: 0 });
    channel.send(JSON.stringify({ type: 'start', offset: 0 }));
    channel.send(new Uint8Array(4));
    channel.send(JSON.stringify({ type: 'finish', size: 4, sha256: 'b'.repeat(64) }));
    await expect(file.done).rejects.toMatchObject({ code: 'CAPABILITY_FAILED', message: /SHA-256/ });
    expect(await answer()).toMatchObject({ type: 'abort', code: 'CAPABILITY_FAILED' });
    expect(readdirSync(pair.inbox)).toEqual([]);
  });

  test.each([
    ['bytes before it is asked for them', (channel: RTCDataChannel) => channel.send(new Uint8Array(1))],
    ['nonsense', (channel: RTCDataChannel) => channel.send('nonsense')],
    ['a second offer', (channel: RTCDataChannel) => channel.send(OFFER)],
  ])('by sending %s is stopped', async (_what, lie) => {
    const incoming = pair.offered();
    const { channel, answer } = await pair.liar();
    channel.send(OFFER);
    const file = await incoming;
    lie(channel);
    await expect(file.done).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
    expect(await answer()).toMatchObject({ type: 'abort', code: 'PROTOCOL_ERROR' });
    await new Promise((resolve) => (channel.onclose = resolve));
    expect(pair.ba.state).toBe('open');
  });

  test('without a valid offer reaches nobody but the log of problems', async () => {
    const problem = new Promise<AgentError>((resolve) => pair.ba.once('problem', resolve));
    pair.ba.on('file', () => {
      throw new Error('must not be offered');
    });
    const { channel, answer } = await pair.liar();
    channel.send(OFFER.replace('"version":1', '"version":7'));
    expect(await answer()).toMatchObject({ type: 'abort', code: 'UNSUPPORTED_VERSION' });
    expect((await problem).code).toBe('UNSUPPORTED_VERSION');
  });
});
