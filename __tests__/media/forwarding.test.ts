// A track that came over one connection goes out over another, undecoded; statistics tell what happened to it.
import { MediaStream, type RTCPeerConnection, type RTCStats } from 'ossa-webrtc';

import { call, heard, toneTrack } from './callers';

async function entries(pc: RTCPeerConnection, type: string): Promise<RTCStats[]> {
  const all: RTCStats[] = [...(await pc.getStats()).values()];
  return all.filter((one) => one.type === type);
}

test('what one connection receives is heard by those that it is sent on to', async () => {
  const { track } = await call(toneTrack(440), new MediaStream());
  const listen = async () => {
    const { a: out, b: listener, track: arrived } = await call(track);
    await heard(arrived, [440, 1000], 440);
    return { out, listener };
  };
  const listeners = await Promise.all([listen(), listen()]);
  for (const { out, listener } of listeners) {
    const [sent] = await entries(out, 'outbound-rtp');
    const [received] = await entries(listener, 'inbound-rtp');
    expect(sent).toMatchObject({ kind: 'audio', packetsSent: expect.any(Number) as number });
    expect(received).toMatchObject({ kind: 'audio', packetsLost: 0 });
    expect(await entries(listener, 'codec')).toContainEqual(expect.objectContaining({ mimeType: 'audio/opus' }));
  }
}, 20_000);
