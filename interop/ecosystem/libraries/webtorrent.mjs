// WebTorrent: each has a file that the other fetches, and they know of each other from a tracker for browsers.
import createTorrent from 'create-torrent';
import parseTorrent from 'parse-torrent';

export { host } from './trystero.mjs';

export const about = {
  name: 'WebTorrent',
  package: 'webtorrent',
  over: 'a tracker, `bittorrent-tracker`',
  how: 'an override of `webrtc-polyfill`',
};

const file = (role) => Object.assign(Buffer.from(`hello from ${role}`), { name: `${role}.txt` });

/** What a link to the file would say. */
async function linkTo(role) {
  const torrent = await new Promise((resolve, reject) =>
    createTorrent(file(role), { announceList: [] }, (error, bytes) => (error ? reject(error) : resolve(bytes))),
  );
  return (await parseTorrent(torrent)).infoHash;
}

export async function peer(url, { role, first, connected, received, send, left }) {
  const { default: WebTorrent } = await import('webtorrent');
  const tracker = { rtcConfig: { iceServers: [] } };
  // Nothing but WebRTC.
  const client = new WebTorrent({ dht: false, lsd: false, utp: false, natUpnp: false, natPmp: false, tracker });
  const options = { announce: [url] };
  client.on('torrent', (torrent) => {
    torrent.on('wire', (wire) => {
      if (wire.type !== 'webrtc') throw new Error(`a connection by ${wire.type}`);
      connected();
      wire.on('close', left);
    });
  });
  const fetched = client.add(await linkTo(first ? 'bob' : 'alice'), options);
  fetched.on('done', async () => received(Buffer.from(await fetched.files[0].arrayBuffer()).toString()));
  // What one says is what it seeds.
  const say = () => client.seed(file(role), options);
  if (first) say();
  else send(say);
  return () => new Promise((resolve) => client.destroy(resolve));
}
