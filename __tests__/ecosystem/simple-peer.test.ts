// simple-peer with this package as its `wrtc` option, as its README says.
import * as wrtc from 'ossa-webrtc';
import SimplePeer from 'simple-peer';

function connect(options: SimplePeer.Options = {}): [SimplePeer.Instance, SimplePeer.Instance] {
  // simple-peer never clears its timer for slow gathering, which would keep Jest for 5 seconds.
  const common = { wrtc, config: { iceServers: [] }, iceCompleteTimeout: 500, ...options };
  const offerer = new SimplePeer({ initiator: true, ...common });
  const answerer = new SimplePeer(common);
  offerer.on('signal', (data) => answerer.signal(data));
  answerer.on('signal', (data) => offerer.signal(data));
  return [offerer, answerer];
}

const once = <T = unknown>(peer: SimplePeer.Instance, event: string) =>
  new Promise<T>((resolve, reject) => {
    peer.once(event, resolve as (value: unknown) => void);
    peer.once('error', reject);
  });

async function close(...peers: SimplePeer.Instance[]): Promise<void> {
  for (const peer of peers) {
    if (peer.destroyed) continue;
    const closed = new Promise((resolve) => peer.once('close', resolve));
    peer.destroy();
    await closed;
  }
}

test.each([true, false])('two simple-peers connect and exchange data, trickle: %s', async (trickle) => {
  const [offerer, answerer] = connect({ trickle });
  await Promise.all([once(offerer, 'connect'), once(answerer, 'connect')]);
  const there = once<Buffer>(answerer, 'data');
  offerer.send('hello');
  expect((await there).toString()).toBe('hello');
  const back = once<Buffer>(offerer, 'data');
  answerer.send(Buffer.from([0, 1, 254, 255]));
  expect([...(await back)]).toEqual([0, 1, 254, 255]);
  await close(offerer, answerer);
});

test('a stream of 4 MB through simple-peer arrives whole, with backpressure', async () => {
  const [offerer, answerer] = connect();
  const total = 4_000_000;
  const received: Buffer[] = [];
  let bytes = 0;
  const all = new Promise<void>((resolve) => {
    answerer.on('data', (chunk: Buffer) => {
      received.push(chunk);
      bytes += chunk.length;
      if (bytes >= total) resolve();
    });
  });
  await Promise.all([once(offerer, 'connect'), once(answerer, 'connect')]);
  const sent = Buffer.alloc(total, 'simple-peer ');
  for (let at = 0; at < total; at += 50_000) {
    if (!offerer.write(sent.subarray(at, at + 50_000))) await new Promise((resolve) => offerer.once('drain', resolve));
  }
  await all;
  expect(Buffer.concat(received).equals(sent)).toBe(true);
  await close(offerer, answerer);
});

test('destroying one simple-peer closes the other', async () => {
  const [offerer, answerer] = connect();
  await Promise.all([once(offerer, 'connect'), once(answerer, 'connect')]);
  const closed = new Promise((resolve) => answerer.once('close', resolve));
  answerer.on('error', () => {}); // simple-peer reports a lost channel as an error before it closes
  offerer.destroy();
  await closed;
});
