// A process with one stack that holds ends of calls: `node media-child.cjs <stack>`; see `interop/serve.cjs`. Its methods are those below.
const { serve } = require('../interop/serve.cjs');
const { name, version, RTCPeerConnection } = require(`../interop/stacks/${process.argv[2]}.cjs`);

/** node-webrtc's interfaces of audio, which two of the stacks have. */
const { RTCAudioSink, RTCAudioSource } =
  { ossa: require('../index.js'), wrtc: require('@roamhq/wrtc') }[process.argv[2]]?.nonstandard ?? {};
const { MediaStreamTrack: WeriftTrack } = require('werift');
const { EncodedSource } = process.argv[2] === 'ossa' ? require('../index.js') : {};

const RATE = 48_000;
const BLOCK = RATE / 100;
/** A click in this many blocks: a loud one among quiet ones. */
const PERIOD = 100;
const wave = (amplitude, frequency) =>
  Int16Array.from({ length: BLOCK }, (_, at) => amplitude * Math.sin((2 * Math.PI * frequency * at) / RATE));
const QUIET = wave(2_000, 400);
const LOUD = wave(25_000, 1_000);
/** Eight samples of each wave of the click are enough, and cost the stack that is measured as little as can be. */
function isLoud(samples) {
  for (let at = 0; at < samples.length; at += 6) if (samples[at] > 9_000) return true;
  return false;
}

/** Milliseconds of a clock that all processes of this machine share. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

const calls = new Map();
/** What came to the first call that receives, for those that forward it. */
let origin;

/** Hands in what is due, a block of each call every 10 ms. */
function speak() {
  let tick = 0;
  const begin = now();
  setInterval(() => {
    for (; begin + tick * 10 <= now(); tick++) {
      let offset = 0;
      for (const { source, sent } of calls.values()) {
        if (!source) continue;
        const clicks = (tick + offset++) % PERIOD === 0;
        if (clicks) sent.push(now());
        source.onData({ samples: (clicks ? LOUD : QUIET).slice(), sampleRate: RATE });
      }
    }
  }, 5);
}

/** Video as an encoder gives it, but for the pictures, which nobody looks at: 25 frames of 10 kB a second, the first of each second a key frame of VP8 (RFC 6386 9.1). */
function film() {
  const source = new EncodedSource({ mimeType: 'video/VP8' });
  const frame = (key) =>
    Buffer.alloc(10_000, 7).fill(Buffer.from([key ? 0x10 : 0x11, 0, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0]), 0, 10);
  const [first, others] = [frame(true), frame(false)];
  const begin = now();
  let number = 0;
  const write = () => {
    for (; begin + number * 40 <= now(); number++) {
      source.write({ data: number % 25 === 0 ? first : others, timestamp: number * 40_000 });
    }
  };
  return { track: source.track, start: () => setInterval(write, 10) };
}

function listen(call, track) {
  if (!RTCAudioSink) return;
  let last = 0;
  call.sink = new RTCAudioSink(track);
  call.sink.ondata = ({ samples }) => {
    call.blocks++;
    if (!isLoud(samples)) return;
    const at = now();
    // The rest of the same click.
    if (at - last > 300) call.heard.push(at);
    last = at;
  };
}

function forward(pc) {
  if (WeriftTrack && origin instanceof WeriftTrack) {
    const copy = new WeriftTrack({ kind: origin.kind });
    origin.onReceiveRtp.subscribe((packet) => copy.writeRtp(packet.clone()));
    return pc.addTrack(copy);
  }
  return pc.addTrack(origin);
}

async function gathered(pc) {
  while (pc.iceGatheringState !== 'complete') {
    await new Promise((resolve) => pc.addEventListener('icegatheringstatechange', resolve, { once: true }));
  }
  return pc.localDescription.sdp;
}

serve({
  about: () => ({ name, version }),

  /** A connection that speaks, films, hears, forwards what another one gets, sends back what it gets itself, or several of it. */
  async open({ id, speaks, films, hears, forwards, echoes }) {
    const pc = new RTCPeerConnection({ iceServers: [] });
    const call = { pc, sent: [], heard: [], blocks: 0 };
    calls.set(id, call);
    pc.ontrack = ({ track }) => {
      origin ??= track;
      if (hears) listen(call, track);
      if (echoes) pc.addTrack(track);
    };
    if (speaks) pc.addTrack((call.source = new RTCAudioSource()).createTrack());
    if (films) pc.addTrack((call.film = film()).track);
    if (forwards) forward(pc);
  },

  async offer({ id }) {
    const { pc } = calls.get(id);
    await pc.setLocalDescription(await pc.createOffer());
    return gathered(pc);
  },

  async answer({ id, sdp }) {
    const { pc } = calls.get(id);
    await pc.setRemoteDescription({ type: 'offer', sdp });
    await pc.setLocalDescription(await pc.createAnswer());
    return gathered(pc);
  },

  async accept({ id, sdp }) {
    await calls.get(id).pc.setRemoteDescription({ type: 'answer', sdp });
  },

  speak: () => void speak(),

  film: () => calls.forEach(({ film }) => film?.start()),

  /** RTP packets that each call has received and sent until now. */
  packets: () =>
    Promise.all(
      [...calls.values()].map(async ({ pc }) => {
        const count = { received: 0, sent: 0 };
        for (const { packetsReceived = 0, packetsSent = 0, type } of (await pc.getStats()).values()) {
          if (type === 'inbound-rtp') count.received += packetsReceived;
          if (type === 'outbound-rtp') count.sent += packetsSent;
        }
        return count;
      }),
    ),

  /** What was said and heard since this was asked last, of each call. */
  heard() {
    return [...calls].map(([id, call]) => {
      const { sent, heard, blocks } = call;
      Object.assign(call, { sent: [], heard: [], blocks: 0 });
      return { id, sent, heard, blocks };
    });
  },

  usage() {
    const { user, system } = process.cpuUsage();
    return { cpu: (user + system) / 1e6, at: now() / 1e3 };
  },

  memory() {
    globalThis.gc?.();
    return process.memoryUsage().rss;
  },
});
