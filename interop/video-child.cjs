// The camera of a stack that has no page: `node video-child.cjs`. It answers the calls of a page that publishes (`__tests__/interop/video/page.ts`), with
// libwebrtc's encoder behind @roamhq/wrtc and a picture that moves.
const { RTCPeerConnection, nonstandard } = require('@roamhq/wrtc');
const { serve } = require('./serve.cjs');

const [WIDTH, HEIGHT, FPS] = [320, 240, 20];
const connections = new Map();

/** A picture in I420: a bar that wanders over grey. */
function picture(at) {
  const data = new Uint8ClampedArray((WIDTH * HEIGHT * 3) / 2).fill(128);
  for (let row = 0; row < HEIGHT; row++)
    data.fill(235, row * WIDTH + ((at * 4) % (WIDTH - 16)), row * WIDTH + ((at * 4) % (WIDTH - 16)) + 16);
  return { width: WIDTH, height: HEIGHT, data };
}

serve({
  async publish({ name }) {
    const source = new nonstandard.RTCVideoSource();
    let at = 0;
    const timer = setInterval(() => source.onFrame(picture(at++)), 1000 / FPS);
    const pc = new RTCPeerConnection();
    connections.set(name, { pc, timer });
    pc.addTransceiver(source.createTrack(), { direction: 'sendonly' });
    const ended = new Promise((resolve) => (pc.onicecandidate = ({ candidate }) => candidate || resolve()));
    await pc.setLocalDescription(await pc.createOffer());
    await ended;
    return pc.localDescription.sdp;
  },
  async accept({ name, sdp }) {
    await connections.get(name).pc.setRemoteDescription({ type: 'answer', sdp });
    return {};
  },
  async close({ name }) {
    const { pc, timer } = connections.get(name);
    clearInterval(timer);
    pc.close();
    return {};
  },
});
