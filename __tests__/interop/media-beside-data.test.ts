// Pages that offer audio and video beside their data, from fake devices. Nobody here listens, and none of it may cost the data.
import { RTCPeerConnection, type RTCDataChannel } from 'ossa-webrtc';

import { once } from '../w3c/helper';
import { startBrowser } from './browser';

type Part = 'audio' | 'video' | 'data';

const page = `<!doctype html><meta charset="utf-8"><title>media beside data</title><script>
const ufrag = (sdp) => /a=ice-ufrag:(.*)/.exec(sdp)?.[1];
globalThis.driver = {
  async open({ policy, parts }) {
    this.pc = new RTCPeerConnection({ bundlePolicy: policy });
    for (const part of parts) await this.add({ part });
  },
  async add({ part }) {
    if (part === 'data') {
      this.channel = this.pc.createDataChannel('data');
      this.opened = new Promise((resolve) => (this.channel.onopen = resolve));
      return;
    }
    const stream = await navigator.mediaDevices.getUserMedia({ [part]: true });
    this.pc.addTrack(stream.getTracks()[0], stream);
  },
  remove({ part }) {
    this.pc.getTransceivers().find((one) => one.receiver.track.kind === part).stop();
  },
  async offer({ iceRestart }) {
    const before = ufrag(this.pc.localDescription?.sdp ?? '');
    const ended = new Promise((resolve) => this.pc.addEventListener('icecandidate', (e) => e.candidate === null && resolve()));
    await this.pc.setLocalDescription(await this.pc.createOffer({ iceRestart }));
    if (ufrag(this.pc.localDescription.sdp) !== before) await ended;
    return this.pc.localDescription.sdp;
  },
  async accept({ sdp }) {
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
  },
  async echo({ text }) {
    await this.opened;
    const answered = new Promise((resolve) => (this.channel.onmessage = ({ data }) => resolve(data)));
    this.channel.send(text);
    return answered;
  },
  directions() {
    return this.pc.getTransceivers().map((one) => one.currentDirection);
  },
  close() {
    this.pc.close();
  },
};
</script>`;

async function gathered(peer: RTCPeerConnection): Promise<void> {
  while (peer.iceGatheringState !== 'complete') await once(peer, 'icegatheringstatechange');
}

const orders: Part[][] = [
  ['audio', 'video', 'data'],
  ['data', 'audio', 'video'],
  ['video', 'data', 'audio'],
];
const cases = (['max-bundle', 'balanced', 'max-compat'] as const).flatMap((policy) =>
  orders.map((parts) => ({ policy, parts })),
);

describe.each(['chromium', 'firefox'] as const)('%s', (name) => {
  let browser: Awaited<ReturnType<typeof startBrowser>>;
  let us: RTCPeerConnection;
  let closed: string[];

  beforeAll(async () => {
    browser = await startBrowser(name, page);
  });
  afterAll(() => browser?.stop());

  beforeEach(() => {
    closed = [];
    us = new RTCPeerConnection();
    us.ondatachannel = ({ channel }: { channel: RTCDataChannel }) => {
      channel.onmessage = ({ data }) => channel.send(`echo: ${data}`);
      channel.onclose = () => closed.push(channel.label);
    };
  });
  afterEach(async () => {
    await browser.call('close');
    us.close();
  });

  async function round(iceRestart = false): Promise<string> {
    const sdp = await browser.call<string>('offer', { iceRestart });
    await us.setRemoteDescription({ type: 'offer', sdp });
    await us.setLocalDescription();
    await gathered(us);
    await browser.call('accept', { sdp: us.localDescription!.sdp });
    return us.localDescription!.sdp;
  }
  const echo = (text: string) => browser.call<string>('echo', { text });

  test.each(cases)(
    '$policy: data flows beside $parts',
    async ({ policy, parts }) => {
      await browser.call('open', { policy, parts });
      const answer = await round();
      expect(await echo('hello')).toBe('echo: hello');
      const media = parts.filter((part) => part !== 'data');
      expect(await browser.call('directions')).toEqual(media.map(() => 'sendonly'));
      expect(answer.match(/^m=(audio|video) [1-9]/gm)).toHaveLength(media.length);
    },
    60_000,
  );

  test.each(['max-bundle', 'balanced', 'max-compat'])(
    '%s: media that comes and goes, and an ICE restart, leave the channel open',
    async (policy) => {
      await browser.call('open', { policy, parts: ['data'] });
      await round();
      expect(await echo('alone')).toBe('echo: alone');
      await browser.call('add', { part: 'audio' });
      await round();
      expect(await echo('audio added')).toBe('echo: audio added');
      await browser.call('add', { part: 'video' });
      await round();
      expect(await echo('video added')).toBe('echo: video added');
      await browser.call('remove', { part: 'audio' });
      await round();
      expect(await echo('audio removed')).toBe('echo: audio removed');
      await round(true);
      expect(await echo('restarted')).toBe('echo: restarted');
      expect(closed).toEqual([]);
    },
    60_000,
  );
});
