// "Large Data Transfer" and "Real-time Collaboration" of the specification, on our W3C classes.
import { createHash } from 'node:crypto';

import type { RTCDataChannel, RTCDataChannelEvent } from 'ossa-webrtc';

import { negotiate, newPeer, once, trickle } from '../w3c/helper';

async function announced(make: (pc: ReturnType<typeof newPeer>) => void): Promise<RTCDataChannel> {
  const [pc, remote] = [newPeer(), newPeer()];
  trickle(pc, remote);
  const arrived = once<RTCDataChannelEvent>(remote, 'datachannel');
  make(pc);
  await negotiate(pc, remote);
  return (await arrived).channel;
}

test('a large dataset arrives whole over the channel for files', async () => {
  const largeDataset = new Uint8Array(8 * 1024 * 1024).map((_, i) => i * 31);
  /** What the specification leaves to the reader: pieces of 64 KB, as the buffer takes them, and the end. */
  const sendFile = async (channel: RTCDataChannel, data: Uint8Array) => {
    channel.bufferedAmountLowThreshold = 65536;
    for (let at = 0; at < data.length; at += 65536) {
      if (channel.bufferedAmount > 1024 * 1024) await once(channel, 'bufferedamountlow');
      channel.send(data.subarray(at, at + 65536));
    }
    channel.close();
  };

  const received = await announced((pc) => {
    // Agent A sends large file to Agent B
    const fileChannel = pc.createDataChannel('file-transfer', {
      ordered: true,
    });

    fileChannel.onopen = () => {
      void sendFile(fileChannel, largeDataset);
    };
  });

  const hash = createHash('sha256');
  received.binaryType = 'arraybuffer';
  received.onmessage = ({ data }: MessageEvent) => void hash.update(new Uint8Array(data as ArrayBuffer));
  await once(received, 'close');
  expect(hash.digest('hex')).toBe(createHash('sha256').update(largeDataset).digest('hex'));
});

test('states are sent at once, without order or another try', async () => {
  let version = 0;
  const getCurrentState = () => ({ version: ++version });
  const received = await announced((pc) => {
    const stateChannel = pc.createDataChannel('state-sync', {
      ordered: false,
      maxRetransmits: 0,
    });

    stateChannel.onopen = () => {
      // Send state updates immediately
      for (let i = 0; i < 3; i++) {
        stateChannel.send(
          JSON.stringify({
            type: 'state_update',
            payload: getCurrentState(),
          }),
        );
      }
    };
  });

  const updates: unknown[] = [];
  await new Promise<void>((resolve) => {
    received.onmessage = ({ data }: MessageEvent) => {
      updates.push(JSON.parse(data as string));
      if (updates.length === 3) resolve();
    };
  });
  const versions = [1, 2, 3].map((version) => ({ type: 'state_update', payload: { version } }));
  expect(updates).toEqual(expect.arrayContaining(versions));
});
