// A certificate that is not the signaled one: the end that finds it tells the other one, which need not wait for a timer.
import { RTCPeerConnection, type RTCError } from 'ossa-webrtc';

import type { Driver } from './link';
import { startBrowser } from './browser';

/** A peer in the page: descriptions with all candidates in them, and how it ends. */
function createPeer(api: { RTCPeerConnection: typeof RTCPeerConnection }) {
  let pc: RTCPeerConnection;
  async function described() {
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== 'complete') await new Promise((done) => setTimeout(done, 5));
    return pc.localDescription?.sdp;
  }
  return {
    async offer() {
      pc = new api.RTCPeerConnection();
      pc.createDataChannel('test');
      return described();
    },
    async answer({ sdp }: { sdp: string }) {
      pc = new api.RTCPeerConnection();
      await pc.setRemoteDescription({ type: 'offer', sdp });
      return described();
    },
    accept: ({ sdp }: { sdp: string }) => pc.setRemoteDescription({ type: 'answer', sdp }),
    async failed() {
      while (pc.connectionState !== 'failed') await new Promise((done) => setTimeout(done, 5));
      pc.close();
      return true;
    },
  };
}

/** The description with another fingerprint in it. */
function forge(sdp: string): string {
  const forged = sdp.replace(/(a=fingerprint:\S+ )(..)/, (_, start: string, byte: string) =>
    start.concat(byte === '00' ? '01' : '00'),
  );
  expect(forged).not.toBe(sdp);
  return forged;
}

async function described(pc: RTCPeerConnection): Promise<string> {
  await pc.setLocalDescription();
  while (pc.iceGatheringState !== 'complete') await new Promise((done) => setTimeout(done, 5));
  return pc.localDescription!.sdp;
}

describe.each(['chromium', 'firefox'] as const)('%s', (name) => {
  let browser: Driver;
  let ours: RTCPeerConnection | undefined;
  beforeAll(async () => {
    const page = `<!doctype html><script>globalThis.driver = (${createPeer.toString()})({ RTCPeerConnection })</script>`;
    browser = await startBrowser(name, page);
  }, 60_000);
  afterAll(() => browser?.stop());
  afterEach(() => ours?.close());

  /** Connects, and lets one end see a forged fingerprint. Returns what our end makes of it, when both have failed. */
  async function deceive(deceived: 'us' | 'browser', offerer: 'us' | 'browser'): Promise<RTCError> {
    const pc = (ours = new RTCPeerConnection());
    const toUs = (sdp: string) => (deceived === 'us' ? forge(sdp) : sdp);
    const toBrowser = (sdp: string) => (deceived === 'us' ? sdp : forge(sdp));
    const error = new Promise<RTCError>((failed) => {
      const watch = () => (pc.sctp!.transport.onerror = ({ error }) => failed(error));
      pc.onsignalingstatechange = () => pc.sctp && watch();
    });
    if (offerer === 'us') {
      pc.createDataChannel('test');
      const answer = await browser.call<string>('answer', { sdp: toBrowser(await described(pc)) });
      await pc.setRemoteDescription({ type: 'answer', sdp: toUs(answer) });
    } else {
      await pc.setRemoteDescription({ type: 'offer', sdp: toUs(await browser.call<string>('offer')) });
      await browser.call('accept', { sdp: toBrowser(await described(pc)) });
    }
    const [found] = await Promise.all([error, browser.call('failed')]);
    expect(pc.connectionState).toBe('failed');
    return found;
  }

  for (const offerer of ['us', 'browser'] as const) {
    test(`fails when we refuse its certificate, offer by ${offerer}`, async () => {
      const error = await deceive('us', offerer);
      expect(error).toMatchObject({ errorDetail: 'fingerprint-failure', sentAlert: 42, receivedAlert: null });
    });

    test(`tells us when it refuses our certificate, offer by ${offerer}`, async () => {
      const error = await deceive('browser', offerer);
      expect(error).toMatchObject({ errorDetail: 'dtls-failure', sentAlert: null });
      expect(error.receivedAlert).toEqual(expect.any(Number));
    });
  }
});
