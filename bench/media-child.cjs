// A process with one stack that holds ends of calls: `node media-child.cjs <stack>`; see `interop/serve.cjs`. Its methods are those below.
const { serve } = require('../interop/serve.cjs');
const { name, version, RTCPeerConnection } = require(`../interop/stacks/${process.argv[2]}.cjs`);

/** node-webrtc's interfaces of audio, which two of the stacks have. */
const { RTCAudioSink, RTCAudioSource } =
  { ossa: require('../index.js'), wrtc: require('@roamhq/wrtc') }[process.argv[2]]?.nonstandard ?? {};
const { MediaStreamTrack: WeriftTrack } = require('werift');

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
    const copy = new WeriftTrack({ kind: 'audio' });
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

  /** A connection that speaks, hears, forwards what another one gets, sends back what it gets itself, or several of it. */
  async open({ id, speaks, hears, forwards, echoes }) {
    const pc = new RTCPeerConnection({ iceServers: [] });
    const call = { pc, sent: [], heard: [], blocks: 0 };
    calls.set(id, call);
    pc.ontrack = ({ track }) => {
      origin ??= track;
      if (hears) listen(call, track);
      if (echoes) pc.addTrack(track);
    };
    if (speaks) pc.addTrack((call.source = new RTCAudioSource()).createTrack());
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

  /** What was said and heard since this was asked last, of each call. */
  heard() {
    return [...calls].map(([id, call]) => {
      const { sent, heard, blocks } = call;
      Object.assign(call, { sent: [], heard: [], blocks: 0 });
      return { id, sent, heard, blocks };
    });
  },

  usage() {
    globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    return { cpu: (user + system) / 1e6, at: now() / 1e3, rss: process.memoryUsage().rss };
  },
});
