// Channels of ours that are closed as soon as they are open, towards pages. How much of their messages a busy page drops depends on time, so that
// is measured (docs/interop.md) and not tested; what must hold is that each one is closed on both sides and its id is free again.
import { RTCPeerConnection } from 'ossa-webrtc';

import { newPeer, once } from '../w3c/helper';
import { startBrowser } from './browser';

const CHANNELS = 10;

const page = `<!doctype html><meta charset="utf-8"><title>short channels</title><script>
globalThis.driver = {
  async answer({ sdp }) {
    this.closed = [];
    this.pc = new RTCPeerConnection();
    this.pc.ondatachannel = ({ channel }) => {
      channel.onclose = () => {
        this.closed.push(channel.label);
        this.changed?.();
      };
    };
    const ended = new Promise((resolve) => this.pc.addEventListener('icecandidate', (e) => e.candidate === null && resolve()));
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
    await this.pc.setLocalDescription();
    await ended;
    return this.pc.localDescription.sdp;
  },
  async seenClosed({ count }) {
    while (this.closed.length < count) await new Promise((resolve) => (this.changed = resolve));
    return this.closed;
  },
};
</script>`;

async function connect(us: RTCPeerConnection, answer: (sdp: string) => Promise<string>): Promise<void> {
  const first = us.createDataChannel('keeps the connection');
  const opened = once(first, 'open');
  await us.setLocalDescription();
  while (us.iceGatheringState !== 'complete') await once(us, 'icegatheringstatechange');
  await us.setRemoteDescription({ type: 'answer', sdp: await answer(us.localDescription!.sdp) });
  await opened;
}

describe.each(['chromium', 'firefox'] as const)('%s', (name) => {
  let browser: Awaited<ReturnType<typeof startBrowser>>;
  beforeAll(async () => {
    browser = await startBrowser(name, page);
  }, 60_000);
  afterAll(() => browser?.stop());

  test('closes a channel that we close at once, again and again on the same id', async () => {
    const us = newPeer();
    await connect(us, (sdp) => browser.call('answer', { sdp }));
    const ids = new Set<number | null>();
    const labels: string[] = [];
    for (let i = 0; i < CHANNELS; i++) {
      const channel = us.createDataChannel(`short ${i}`);
      labels.push(channel.label);
      if (channel.readyState !== 'open') await once(channel, 'open');
      ids.add(channel.id);
      for (let message = 0; message < 20; message++) channel.send(`message ${message}`);
      const closed = once(channel, 'close');
      channel.close();
      await closed;
    }
    expect(await browser.call('seenClosed', { count: CHANNELS })).toEqual(labels);
    expect(ids.size).toBe(1);
  }, 60_000);
});
