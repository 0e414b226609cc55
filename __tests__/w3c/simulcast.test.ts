// Which encodings a sender has, by what both sides say of them (webrtc-pc 4.4.1.5).
import { EncodedSource, type RTCPeerConnection, type RTCTrackEvent } from 'ossa-webrtc';

import { newPeer, once, trickle } from './helper';

/** The description asks for these layers of its video, or for none. */
function taking(sdp: string, streams?: string): string {
  const plain = sdp.replace(/^a=(?:simulcast|rid):.*\r\n/gm, '');
  if (!streams) return plain;
  const rids = streams.split(/[;,]/).map((rid) => `a=rid:${rid.replace('~', '')} recv\r\n`);
  return `${plain}${rids.join('')}a=simulcast:recv ${streams}\r\n`;
}

async function offerOf(watcher: RTCPeerConnection, streams?: string) {
  await watcher.setLocalDescription();
  return { type: 'offer', sdp: taking(watcher.localDescription!.sdp, streams) } as const;
}

/** A watcher that has said that it wants video. */
function newWatcher(): RTCPeerConnection {
  const watcher = newPeer();
  watcher.addTransceiver('video', { direction: 'recvonly' });
  return watcher;
}

const encodingsOf = (peer: RTCPeerConnection) => peer.getSenders()[0]!.getParameters().encodings;
const ridsOf = (peer: RTCPeerConnection) => encodingsOf(peer).map(({ rid }) => rid);
const videoTrack = () => new EncodedSource({ mimeType: 'video/vp8' }).track;

describe('an offer that asks for simulcast', () => {
  test('gives a sender the layers, which can be set and are answered', async () => {
    const camera = newPeer();
    const sender = camera.addTrack(videoTrack());
    await camera.setRemoteDescription(await offerOf(newWatcher(), 'q;h,x;f;q'));
    expect(encodingsOf(camera)).toEqual([
      { rid: 'q', active: true, scaleResolutionDownBy: 4 },
      { rid: 'h', active: true, scaleResolutionDownBy: 2 },
      { rid: 'f', active: true, scaleResolutionDownBy: 1 },
    ]);
    const parameters = sender.getParameters();
    parameters.encodings[1]!.active = false;
    await sender.setParameters(parameters);
    await camera.setLocalDescription();
    expect(camera.localDescription!.sdp).toContain('a=simulcast:send q;h;f\r\n');
    expect(encodingsOf(camera).map(({ active }) => active)).toEqual([true, false, true]);
  });

  test('and is withdrawn leaves the one encoding of before', async () => {
    const camera = newPeer();
    const sender = camera.addTrack(videoTrack());
    const parameters = sender.getParameters();
    parameters.encodings[0]!.maxBitrate = 300_000;
    await sender.setParameters(parameters);
    const before = encodingsOf(camera);
    const watcher = newWatcher();
    const offer = await offerOf(watcher, 'q;f');
    await camera.setRemoteDescription(offer);
    await camera.setRemoteDescription({ ...offer, sdp: taking(offer.sdp, 'f') });
    expect(encodingsOf(camera)).toEqual([{ rid: 'f', active: true, scaleResolutionDownBy: 1 }]);
    await camera.setRemoteDescription({ type: 'rollback', sdp: '' });
    expect(encodingsOf(camera)).toEqual(before);
  });

  test('gets pictures under the name of the first layer', async () => {
    const [camera, watcher] = [newPeer(), newWatcher()];
    trickle(camera, watcher);
    const source = new EncodedSource({ mimeType: 'video/vp8' });
    camera.addTrack(source.track);
    const incoming = once<RTCTrackEvent>(watcher, 'track');
    await camera.setRemoteDescription(await offerOf(watcher, 'q;f'));
    await camera.setLocalDescription();
    await watcher.setRemoteDescription({ type: 'answer', sdp: taking(camera.localDescription!.sdp) });
    const { track } = await incoming;
    const unmuted = once(track, 'unmute');
    // A key frame of VP8 (RFC 6386 9.1).
    const data = Uint8Array.of(0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0, 7, 7, 7, 7);
    let timestamp = 0;
    const pictures = setInterval(() => source.write({ data, timestamp: (timestamp += 33_333) }), 33);
    await unmuted;
    clearInterval(pictures);
    source.close();
    const streams = [...(await watcher.getStats()).values()].filter(({ type }) => type === 'inbound-rtp');
    expect(streams).toEqual([expect.objectContaining({ kind: 'video', rid: 'q' })]);
  }, 20_000);
});

describe('an answer', () => {
  const offering = async (answer: string | undefined) => {
    const [camera, watcher] = [newPeer(), newPeer()];
    const sendEncodings = [{ rid: 'q', scaleResolutionDownBy: 4 }, { rid: 'h' }, { rid: 'f' }];
    camera.addTransceiver(videoTrack(), { sendEncodings });
    await camera.setLocalDescription();
    await watcher.setRemoteDescription(camera.localDescription!);
    await watcher.setLocalDescription();
    await camera.setRemoteDescription({ type: 'answer', sdp: taking(watcher.localDescription!.sdp, answer) });
    return { camera, watcher };
  };

  test.each([
    ['all layers in another order', 'f;q;h', ['q', 'h', 'f']],
    ['some layers', 'h;f', ['h', 'f']],
    ['one layer', 'f', ['f']],
    ['layers of which one is paused', 'q;~h;f', ['q', 'h', 'f']],
    ['none of the layers', undefined, ['q']],
    ['layers that there are not', 'x;y', ['q']],
  ])('that takes %s leaves them', async (_, answer, left) => {
    const { camera } = await offering(answer);
    expect(ridsOf(camera)).toEqual(left);
    expect(encodingsOf(camera).every(({ active }) => active)).toBe(true);
    const [sender] = camera.getSenders();
    const parameters = sender!.getParameters();
    parameters.encodings[0]!.maxBitrate = 1_000_000;
    await sender!.setParameters(parameters);
    expect(encodingsOf(camera)[0]).toMatchObject({ rid: left[0], maxBitrate: 1_000_000 });
  });

  test('of our own to an offer with fewer layers takes the others away, and its rollback does not', async () => {
    const { camera, watcher } = await offering('q;h;f');
    const offer = await offerOf(watcher, 'h');
    await camera.setRemoteDescription(offer);
    expect(ridsOf(camera)).toEqual(['q', 'h', 'f']);
    await camera.setRemoteDescription({ type: 'rollback', sdp: '' });
    expect(ridsOf(camera)).toEqual(['q', 'h', 'f']);
    await camera.setRemoteDescription(offer);
    await camera.setLocalDescription();
    expect(ridsOf(camera)).toEqual(['h']);
  });
});
