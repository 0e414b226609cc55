// Pages that send the camera of their browser, and pages that show what comes.
import { startBrowser } from '../browser';

/** What a page has decoded, from its statistics. */
export interface Seen {
  framesDecoded: number;
  keyFramesDecoded: number;
  framesDropped: number;
  /** Firefox does not count them. */
  freezeCount?: number;
  frameWidth: number;
  pliCount: number;
  nackCount: number;
  packetsLost: number;
  jitterBufferDelay: number;
  codec: string;
}

/** What a page sends, from its statistics: one for each layer. */
export interface Sent {
  rid?: string;
  framesSent: number;
  frameWidth: number;
  targetBitrate: number;
  retransmittedPacketsSent: number;
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>video</title><script>
const connections = new Map();
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Describes this side with all of its candidates. */
async function described(pc) {
  const ended = new Promise((resolve) => pc.addEventListener('icecandidate', ({ candidate }) => candidate || resolve()));
  await pc.setLocalDescription();
  await ended;
  return pc.localDescription.sdp;
}

function open(name) {
  const pc = new RTCPeerConnection();
  connections.set(name, pc);
  return pc;
}

/** What comes is shown. */
function openToShow(name) {
  const pc = open(name);
  pc.ontrack = ({ track }) => {
    const video = Object.assign(document.createElement('video'), { muted: true, autoplay: true });
    video.srcObject = new MediaStream([track]);
    document.body ??= document.createElement('body');
    document.body.append(video);
  };
  return pc;
}

async function entries(name, type) {
  const report = await connections.get(name).getStats();
  return [...report.values()]
    .filter((one) => one.type === type && one.kind === 'video')
    .map((one) => ({ ...one, codec: report.get(one.codecId)?.mimeType }));
}

globalThis.driver = {
  /** Offers the camera in one codec. */
  async publish({ name, codec, encodings, width, height }) {
    const pc = open(name);
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width, height } });
    const [track] = stream.getVideoTracks();
    const transceiver = pc.addTransceiver(track, { direction: 'sendonly', streams: [stream], sendEncodings: encodings });
    const { codecs } = RTCRtpReceiver.getCapabilities('video');
    const fits = ({ mimeType, sdpFmtpLine = '' }) =>
      mimeType === 'video/' + codec ? !/packetization-mode=0/.test(sdpFmtpLine) : /rtx/.test(mimeType);
    transceiver.setCodecPreferences(codecs.filter(fits));
    return described(pc);
  },
  async accept({ name, sdp }) {
    await connections.get(name).setRemoteDescription({ type: 'answer', sdp });
  },
  /** Offers to show one video. */
  async want({ name }) {
    const pc = openToShow(name);
    pc.addTransceiver('video', { direction: 'recvonly' });
    return described(pc);
  },
  /** Shows what is offered. */
  async show({ name, sdp }) {
    const pc = openToShow(name);
    await pc.setRemoteDescription({ type: 'offer', sdp });
    return described(pc);
  },
  async seen({ name }) {
    const [one] = await entries(name, 'inbound-rtp');
    return one;
  },
  sent: ({ name }) => entries(name, 'outbound-rtp'),
  /** Waits until so many pictures were decoded from now on, and tells how all of it went. */
  async watch({ name, frames, patience }) {
    const until = performance.now() + patience;
    const decoded = async () => (await entries(name, 'inbound-rtp'))[0]?.framesDecoded ?? 0;
    const begin = await decoded();
    while ((await decoded()) < begin + frames) {
      if (performance.now() > until) throw new Error(name + ' has decoded ' + ((await decoded()) - begin) + ' of ' + frames + ' pictures');
      await wait(50);
    }
    return this.seen({ name });
  },
  /** Waits until pictures are so wide. */
  async width({ name, width, patience }) {
    const until = performance.now() + patience;
    for (;;) {
      const [one] = await entries(name, 'inbound-rtp');
      if (one?.frameWidth === width) return one;
      if (performance.now() > until) throw new Error(name + ' shows pictures of ' + one?.frameWidth + ' and not of ' + width);
      await wait(50);
    }
  },
  close({ name }) {
    connections.get(name)?.close();
    connections.delete(name);
  },
};
</script>`;

export type VideoPage = Awaited<ReturnType<typeof startVideoPage>>;

export function startVideoPage(name: 'chromium' | 'firefox') {
  return startBrowser(name, PAGE, name === 'chromium' ? ['--disable-renderer-backgrounding'] : []);
}
