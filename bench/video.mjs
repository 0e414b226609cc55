// What Chromium's sender of video makes of our feedback on a link that becomes slow and quick again: `node bench/video.mjs [--seconds] [--no-build]`,
// one minute. The link is a relay with a drop-tail queue of 200 ms (bench/emulator).
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import puppeteer from 'puppeteer-core';

import { RelayPath } from './wan/paths.mjs';

const { RTCPeerConnection } = createRequire(import.meta.url)('..');

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
/** Pictures that no encoder can make small: the fake camera needs half a Mbit/s. */
function noise() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
  const context = canvas.getContext('2d');
  setInterval(() => {
    for (let y = 0; y < 480; y += 16) for (let x = 0; x < 640; x += 16) {
      context.fillStyle = 'hsl(' + Math.random() * 360 + ' 80% 50%)';
      context.fillRect(x, y, 16, 16);
    }
  }, 40);
  return canvas.captureStream(25);
}
async function publish() {
  globalThis.pc = new RTCPeerConnection();
  const transceiver = pc.addTransceiver(noise().getTracks()[0], { direction: 'sendonly' });
  // It would make smaller pictures, for which it sends 0.6 Mbit/s at most, and larger ones never again.
  const parameters = transceiver.sender.getParameters();
  await transceiver.sender.setParameters({ ...parameters, degradationPreference: 'maintain-resolution' });
  transceiver.setCodecPreferences(RTCRtpReceiver.getCapabilities('video').codecs.filter(({ mimeType }) => /VP8|rtx/.test(mimeType)));
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

/** Pictures of the page, received here. */
async function pictures(tab, path) {
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

async function measure(tab) {
  const path = new RelayPath(settings(PHASES[0][0]));
  const call = await pictures(tab, path);
  const rows = [];
  let before = await call.bytes();
  let second = 0;
  for (const [mbit, seconds] of PHASES) {
    await path.emulator.call('set', settings(mbit));
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
    const reached = rates.findIndex((rate) => Math.abs(rate / mbit - 0.8) < 0.25);
    const last = rates.slice(-5).reduce((all, one) => all + one) / 5;
    rows.push({
      'link, Mbit/s': mbit,
      'arrives in the last 5 s': last.toFixed(2),
      'target, at the end': ((await call.target()) / 1e6).toFixed(2),
      'first second at it': reached < 0 ? 'never' : reached + 1,
    });
  }
  call.stop();
  await path.stop();
  return rows;
}

if (!process.argv.includes('--no-build')) {
  const build = ['build', '--release', '--quiet', '-p', 'ossa-bench-emulator'];
  execFileSync('cargo', build, { cwd: root, stdio: 'inherit' });
}
const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(PAGE));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-features=WebRtcHideLocalIpsWithMdns', '--allow-loopback-in-peer-connection'],
});
try {
  const tab = await browser.newPage();
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  console.table(await measure(tab));
} finally {
  await browser.close();
  server.close();
}
