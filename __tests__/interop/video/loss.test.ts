// Video over paths that lose one packet in twenty and take 50 ms, on the way to us and on the way to who takes it.
import { LossyPath, seeded } from '../../agent/lossy-path';
import { startVideoPage, type VideoPage } from './page';
import { VideoServer } from './server';

/** Of the camera, which makes 20 a second. */
const A_SECOND = 20;

let pages: VideoPage;
let server: VideoServer;
const path = new LossyPath();

beforeAll(async () => {
  pages = await startVideoPage('chromium');
});
afterEach(() => server?.close());
afterAll(async () => {
  path.close();
  await pages?.stop();
});

async function through(sdp: string): Promise<string> {
  const lines = await Promise.all(
    sdp.split('\r\n').map(async (line) => (line.startsWith('a=candidate:') ? path.through(line) : line)),
  );
  return lines.filter((line) => line !== undefined).join('\r\n');
}

test.each(['VP8', 'H264'])(
  '%s goes on at 5 %% loss on both ways',
  async (codec) => {
    Object.assign(path, { random: seeded(7), loss: 0, delay: 50 });
    server = new VideoServer(through);
    const publisher = await server.publish(pages, { codec });
    const taker = await server.show(await pages.another(), publisher.track);
    await taker.watch(A_SECOND);
    const before = path.lost;
    path.loss = 0.05;
    const seen = await taker.watch(6 * A_SECOND);
    expect(path.lost - before).toBeGreaterThan(10);
    // What was lost was sent again, on both ways, and what was lost for good has not stopped the pictures.
    expect(seen.nackCount).toBeGreaterThan(0);
    const [sent] = await publisher.sent();
    expect(sent!.retransmittedPacketsSent).toBeGreaterThan(0);
  },
  60_000,
);
