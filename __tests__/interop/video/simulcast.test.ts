// A page sends its camera in three layers, and each taker gets the one that it was given.
import { startVideoPage, type VideoPage } from './page';
import { VideoServer } from './server';

let chromium: VideoPage;
let server: VideoServer;

beforeAll(async () => {
  chromium = await startVideoPage('chromium');
});
beforeEach(() => {
  server = new VideoServer();
});
afterEach(() => server.close());
afterAll(() => chromium?.stop());

const LAYERS = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 100_000 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 200_000 },
  { rid: 'f', maxBitrate: 500_000 },
];
/** Of smaller pictures Chromium makes fewer layers. */
const CAMERA = { width: 960, height: 540 };

test('each taker of simulcast sees the layer that it was given, and changes without a freeze', async () => {
  const { receiver } = await server.publish(chromium, { ...CAMERA, encodings: LAYERS });
  expect(receiver.getParameters().encodings).toEqual([{ rid: 'q' }, { rid: 'h' }, { rid: 'f' }]);
  const takers = await chromium.another();
  const small = await server.show(takers, receiver.getLayer('q'));
  const large = await server.show(takers, receiver.getLayer('f'));
  await Promise.all([small.width(240), large.width(960)]);
  for (const [rid, width] of [
    ['h', 480],
    ['f', 960],
    ['q', 240],
  ] as const) {
    // Before a change the camera has just begun, or another layer has: a browser that starts encoders may be late by itself.
    const { freezeCount } = await small.watch(30);
    await small.take(receiver.getLayer(rid));
    await small.width(width);
    const seen = await small.watch(30);
    expect(seen).toMatchObject({ frameWidth: width, packetsLost: 0, freezeCount });
  }
  expect(await large.watch(1)).toMatchObject({ frameWidth: 960, packetsLost: 0, freezeCount: 0 });
}, 60_000);

test('a layer that was not negotiated is refused with those that were', async () => {
  const { receiver } = await server.publish(chromium, { ...CAMERA, encodings: LAYERS });
  expect(() => receiver.getLayer('x')).toThrow(/"x": there are q, h, f/);
  const single = await server.publish(chromium);
  expect(() => single.receiver.getLayer('q')).toThrow(/has not negotiated simulcast/);
  expect(single.receiver.getParameters().encodings).toEqual([]);
});

test('a page whose offer asks for layers is shown the first of them', async () => {
  const { track } = await server.publish(chromium);
  const taker = await server.showLayers(chromium, track, ['q', 'h', 'f']);
  expect(taker.pc.localDescription!.sdp).toContain('a=simulcast:send q;h;f\r\n');
  expect(
    taker.pc
      .getSenders()[0]!
      .getParameters()
      .encodings.map(({ rid }) => rid),
  ).toEqual(['q', 'h', 'f']);
  expect(await taker.watch(30)).toMatchObject({ frameWidth: 320, packetsLost: 0 });
  const sent = [...(await taker.pc.getStats()).values()].filter(({ type }) => type === 'outbound-rtp');
  const packets = new Map(
    sent.map((one) => [(one as { rid?: string }).rid, (one as { packetsSent?: number }).packetsSent]),
  );
  expect(packets.get('q')).toBeGreaterThan(0);
}, 60_000);
