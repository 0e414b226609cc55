// The camera of a page goes through this process into other pages, which decode it.
import { join } from 'node:path';

import { startStack } from '../../../interop/process.cjs';
import type { Driver } from '../link';
import { startVideoPage, type VideoPage } from './page';
import { VideoServer } from './server';

/** Three seconds of the fake cameras. */
const ENOUGH = 60;

let server: VideoServer;
const pages = new Map<string, VideoPage>();
const stacks: Driver[] = [];

beforeEach(() => {
  server = new VideoServer();
});
afterEach(() => server.close());
afterAll(() => Promise.all([...pages.values(), ...stacks].map((one) => one.stop())));

async function camera(name: 'chromium' | 'firefox' | 'wrtc'): Promise<Driver> {
  if (name !== 'wrtc') return page(name);
  const stack = startStack(name, { child: join(__dirname, '../../../interop/video-child.cjs') });
  stacks.push(stack);
  return stack;
}

async function page(name: 'chromium' | 'firefox'): Promise<VideoPage> {
  if (!pages.has(name)) pages.set(name, await startVideoPage(name));
  return pages.get(name)!;
}

test.each([
  ['VP8', 'chromium', 'chromium'],
  ['H264', 'chromium', 'chromium'],
  ['VP9', 'chromium', 'chromium'],
  ['VP8', 'firefox', 'chromium'],
  ['VP8', 'chromium', 'firefox'],
  ['VP8', 'wrtc', 'chromium'],
] as const)(
  '%s of the camera of %s is seen in %s, also by who comes later',
  async (codec, from, to) => {
    const publisher = await server.publish(await camera(from), { codec });
    const takers = await (await page(to)).another();
    const first = await server.show(takers, publisher.track);
    const seen = await first.watch(ENOUGH);
    expect(seen).toMatchObject({ codec: `video/${codec}`, packetsLost: 0 });
    // Firefox does not count them, and the pictures of wrtc come from a timer.
    const counted = to === 'chromium' && from !== 'wrtc';
    if (counted) expect(seen.freezeCount).toBe(0);
    const second = await server.show(takers, publisher.track);
    const later = await second.watch(ENOUGH);
    expect(later.packetsLost).toBe(0);
    // What the second one needed has not disturbed the first.
    const { freezeCount, framesDecoded } = await first.watch(1);
    if (counted) expect([freezeCount, later.freezeCount]).toEqual([0, 0]);
    expect(framesDecoded).toBeGreaterThan(seen.framesDecoded);
  },
  60_000,
);
