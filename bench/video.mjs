// What senders of video make of a link that becomes slow and quick again: Chromium's camera by our feedback, and our sender by Chromium's.
// `node bench/video.mjs`, two minutes. The link is a relay with a drop-tail queue of 200 ms (bench/emulator).
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import puppeteer from 'puppeteer-core';

import { RelayPath } from './wan/paths.mjs';

const { EncodedSource, RTCPeerConnection } = createRequire(import.meta.url)('..');

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** How many Mbit/s for how many seconds. */
const PHASES = [
  [3, 20],
  [1, 15],
  [3, 20],
];
const DELAY_MS = 25;
const settings = (mbit) => ({ delayMs: DELAY_MS, mbit, queueBytes: Math.round((mbit * 1e6 * 0.2) / 8) });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const PAGE = `<!doctype html><script>
async function described() {
  const ended = new Promise((resolve) => pc.addEventListener('icecandidate', ({ candidate }) => candidate || resolve()));
  await pc.setLocalDescription();
  await ended;
  return pc.localDescription.sdp;
}
async function publish() {
  globalThis.pc = new RTCPeerConnection();
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 } });
  const transceiver = pc.addTransceiver(stream.getTracks()[0], { direction: 'sendonly' });
  transceiver.setCodecPreferences(RTCRtpReceiver.getCapabilities('video').codecs.filter(({ mimeType }) => /VP8|rtx/.test(mimeType)));
  return described();
}
async function take(sdp) {
  globalThis.pc = new RTCPeerConnection();
  await pc.setRemoteDescription({ type: 'offer', sdp });
  return described();
}
async function stats() {
  return [...(await pc.getStats()).values()];
}
</script>`;

async function gathered(pc) {
  while (pc.iceGatheringState !== 'complete') {
    await new Promise((resolve) => pc.addEventListener('icegatheringstatechange', resolve, { once: true }));
  }
  return pc.localDescription.sdp;
}

const entry = (stats, type) => stats.find((one) => one.type === type && (one.kind ?? 'video') === 'video');
const sum = (stats, type, key) =>
  stats.filter((one) => one.type === type).reduce((all, one) => all + (one[key] ?? 0), 0);

/** The camera of the page, received here. */
async function camera(tab, path) {
  const pc = new RTCPeerConnection();
  const offer = await tab.evaluate('publish()');
  await pc.setRemoteDescription({ type: 'offer', sdp: await path.description('a', offer) });
  await pc.setLocalDescription();
  const answer = await path.description('b', await gathered(pc));
  await tab.evaluate(`pc.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(answer)} })`);
  return {
    target: async () => entry(await tab.evaluate('stats()'), 'outbound-rtp')?.targetBitrate ?? 0,
    bytes: async () => sum([...(await pc.getStats()).values()], 'inbound-rtp', 'bytesReceived'),
    stop: () => pc.close(),
  };
}

/** Frames of ours, as large as the target says, received by the page. No decoder would take them: what is measured is the rate. */
async function frames(tab, path) {
  const pc = new RTCPeerConnection();
  const source = new EncodedSource({ mimeType: 'video/VP8' });
  pc.addTransceiver(source.track, { direction: 'sendonly' });
  await pc.setLocalDescription();
  const offer = await path.description('b', await gathered(pc));
  const answer = await tab.evaluate(`take(${JSON.stringify(offer)})`);
  await pc.setRemoteDescription({ type: 'answer', sdp: await path.description('a', answer) });
  const target = async () => {
    const stats = [...(await pc.getStats()).values()];
    return Math.max(0, ...stats.map((one) => one.availableOutgoingBitrate ?? 0));
  };
  let bits = 300_000;
  const follow = setInterval(() => void target().then((now) => (bits = now || bits)), 100);
  let at = 0;
  const FPS = 30;
  const encode = setInterval(() => {
    const data = new Uint8Array(Math.max(20, Math.min(bits, 5e6) / 8 / FPS));
    data.set([at % 300 === 0 ? 0x10 : 0x11, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0]);
    source.write({ data, timestamp: (at++ * 1e6) / FPS });
  }, 1000 / FPS);
  return {
    target,
    bytes: async () => sum(await tab.evaluate('stats()'), 'inbound-rtp', 'bytesReceived'),
    stop() {
      clearInterval(follow);
      clearInterval(encode);
      source.close();
      pc.close();
    },
  };
}

async function measure(tab, start) {
  const path = new RelayPath(settings(PHASES[0][0]));
  const call = await start(tab, path);
  const rows = [];
  let before = await call.bytes();
  let second = 0;
  for (const [mbit, seconds] of PHASES) {
    await path.emulator.call('set', settings(mbit));
    await path.stats();
    const rates = [];
    for (let end = second + seconds; second < end; second++) {
      const from = performance.now();
      await pause(1000);
      const now = await call.bytes();
      rates.push(((now - before) * 8) / (performance.now() - from) / 1000);
      before = now;
      if (process.argv.includes('--seconds')) {
        console.log(
          `${second} s, ${mbit} Mbit/s: arrives ${rates.at(-1).toFixed(2)}, target ${((await call.target()) / 1e6).toFixed(2)}`,
        );
      }
    }
    const path_ = JSON.stringify(await path.stats());
    const reached = rates.findIndex((rate) => Math.abs(rate / mbit - 0.8) < 0.25);
    const last = rates.slice(-5).reduce((all, one) => all + one) / 5;
    rows.push({
      'link, Mbit/s': mbit,
      'arrives in the last 5 s': last.toFixed(2),
      'target, at the end': ((await call.target()) / 1e6).toFixed(2),
      'first second at it': reached < 0 ? 'never' : reached + 1,
    });
    if (process.argv.includes('--seconds')) console.log(path_);
  }
  call.stop();
  await path.stop();
  return rows;
}

execFileSync('cargo', ['build', '--release', '--quiet', '-p', 'ossa-bench-emulator'], { cwd: root, stdio: 'inherit' });
const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(PAGE));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  headless: true,
  args: [
    ...['--no-sandbox', '--disable-features=WebRtcHideLocalIpsWithMdns', '--allow-loopback-in-peer-connection'],
    ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  ],
});
try {
  for (const [name, start] of [
    ["Chromium's camera, by our feedback", camera],
    ["our sender, by Chromium's feedback", frames],
  ]) {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${server.address().port}/`);
    console.log(`\n${name}`);
    console.table(await measure(tab, start));
    await tab.close();
  }
} finally {
  await browser.close();
  server.close();
}
