import { negotiate, TestPeer } from './support';

const SEND_AND_RECEIVE = { direction: 'sendrecv' as const, streams: ['voices'], encodings: [], byTrack: true };

describe('transceivers of native peers', () => {
  test('both sides see what was agreed on for sound and pictures', () => {
    const [a, b] = [new TestPeer({ media: true }), new TestPeer({ media: true })];
    const { id: audio } = a.native.media.addTransceiver('audio', { ...SEND_AND_RECEIVE, track: 'voice' });
    const { id: video } = a.native.media.addTransceiver('video', { ...SEND_AND_RECEIVE, direction: 'sendonly' });
    b.native.media.addTransceiver('audio', SEND_AND_RECEIVE);
    negotiate(a, b);
    expect(b.native.snapshot().transceivers).toMatchObject([
      {
        kind: 'audio',
        mid: '0',
        currentDirection: 'sendrecv',
        receives: true,
        receiverStreams: ['voices'],
        byPeer: false,
      },
      { kind: 'video', mid: '1', currentDirection: 'recvonly', receives: true, byPeer: true },
    ]);
    expect(b.native.snapshot().transceivers[0]?.receiverTrack).not.toBe('');
    const parameters = a.native.media.parameters();
    expect(parameters.map(({ transceiver, mid }) => [transceiver, mid])).toEqual([
      [audio, '0'],
      [video, '1'],
    ]);
    expect(parameters[0]?.send).toMatchObject({ active: true, encodings: [{ active: true, maxBitrate: null }] });
    expect(parameters[0]?.send.payloads[0]).toMatchObject({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 });
    expect(parameters[1]?.receive.active).toBe(false);
    a.native.close();
    b.native.close();
  });

  test('an encoding that is switched off and a stopped transceiver are told at once', () => {
    const [a, b] = [new TestPeer({ media: true }), new TestPeer({ media: true })];
    const { id: audio } = a.native.media.addTransceiver('audio', SEND_AND_RECEIVE);
    negotiate(a, b);
    a.native.media.setEncodings(audio, [{ active: false, maxBitrate: 24_000 }]);
    expect(a.native.media.parameters()[0]?.send.encodings).toMatchObject([{ active: false, maxBitrate: 24_000 }]);
    a.native.media.stopTransceiver(audio);
    expect(a.native.snapshot().transceivers).toMatchObject([{ stopping: true, direction: null }]);
    negotiate(a, b);
    expect([a, b].map((peer) => peer.native.snapshot().transceivers)).toEqual([[], []]);
    a.native.close();
    b.native.close();
  });

  test('values that mean nothing are refused with their name', () => {
    const a = new TestPeer({ media: true });
    const { id: audio } = a.native.media.addTransceiver('audio', SEND_AND_RECEIVE);
    const many = Array.from({ length: 17 }, () => ({ active: true }));
    expect(() => a.native.media.setEncodings(audio, many)).toThrow(/17 encodings/);
    expect(() => a.native.media.setEncodings(audio, [{ active: true, maxBitrate: -1 }])).toThrow(/maxBitrate/);
    expect(() => a.native.media.setDirection(audio, 'up' as 'sendrecv')).toThrow(/direction/);
    expect(() => a.native.media.stopTransceiver(4711)).toThrow(/4711/);
    const speex = { mimeType: 'audio/speex', clockRate: 8000, rtx: false };
    expect(() => a.native.media.setCodecPreferences(audio, [speex])).toThrow(/speex/);
    a.native.close();
  });

  test('without audio and video a transceiver is refused and an offered section stays without use', () => {
    const [a, b] = [new TestPeer({ media: true }), new TestPeer()];
    a.native.media.addTransceiver('audio', SEND_AND_RECEIVE);
    expect(() => b.native.media.addTransceiver('audio', SEND_AND_RECEIVE)).toThrow(/without audio and video/);
    a.native.createDataChannel({ label: 'data' });
    negotiate(a, b);
    expect(b.native.snapshot().transceivers).toEqual([]);
    expect(a.native.snapshot().transceivers).toMatchObject([{ currentDirection: 'inactive', receives: false }]);
    a.native.close();
    b.native.close();
  });
});
