// Trystero by its strategy `torrent`, over a tracker of this machine.
import { Server } from 'bittorrent-tracker';
import { RTCPeerConnection } from 'ossa-webrtc';

export const about = {
  name: 'Trystero',
  package: '@trystero-p2p/torrent',
  over: 'a tracker, `bittorrent-tracker`',
  how: 'the option `rtcPolyfill`',
};

/** A tracker for browsers, which only have WebSockets. */
export async function host() {
  const tracker = new Server({ udp: false, http: false, ws: true, stats: false });
  await new Promise((resolve) => tracker.listen(0, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${tracker.ws.address().port}`,
    close: () => new Promise((resolve) => tracker.close(resolve)),
  };
}

export async function peer(url, { connected, received, send, left }) {
  const { joinRoom } = await import('@trystero-p2p/torrent');
  const room = joinRoom(
    {
      appId: 'ossa-webrtc',
      rtcPolyfill: RTCPeerConnection,
      rtcConfig: { iceServers: [] },
      relayConfig: { urls: [url] },
    },
    'hello',
  );
  const greeting = room.makeAction('greeting');
  greeting.onMessage = (text) => received(text);
  room.onPeerJoin = connected;
  room.onPeerLeave = left;
  send((text) => greeting.send(text));
  return async () => {
    await room.leave();
    // It keeps its connections for two minutes, for the next room.
    return 'stays';
  };
}
