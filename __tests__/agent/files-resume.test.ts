// Files whose transfer was interrupted: by a lost link, by a lost channel, or at the very end.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import type { RTCDataChannel } from 'ossa-webrtc';

import { filePair, MIB, OFFER, sha256 } from './files-setup';

const pair = filePair();

describe('resumption', () => {
  const size = 8 * MIB;
  let data: Buffer;
  let path: string;
  beforeEach(() => {
    data = randomBytes(size);
    path = pair.fileOf(data);
  });

  /** Sends until the receiver has some of it, then ends the link. Resolves with how much is there. */
  async function interrupted(): Promise<number> {
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(path);
    const file = await incoming;
    await new Promise<void>((resolve) => {
      file.accept({ directory: pair.inbox }, { onProgress: ({ bytes }) => bytes >= 2 * MIB && resolve() });
    });
    await pair.ba.close();
    await expect(file.done).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
    await expect(transfer.done).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
    expect(readdirSync(pair.inbox).sort()).toEqual(['data.bin.part', 'data.bin.part.json']);
    return readFileSync(join(pair.inbox, 'data.bin.part')).length;
  }

  /** Sends it again over a new link. */
  async function again(): Promise<number> {
    await pair.connect();
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(path);
    const file = (await incoming).accept({ directory: pair.inbox });
    const [received, sent] = await Promise.all([file.done, transfer.done]);
    expect(readFileSync(received.path!).equals(readFileSync(path))).toBe(true);
    expect(readdirSync(pair.inbox)).toEqual(['data.bin']);
    expect(sent.resumedFrom).toBe(received.resumedFrom);
    return received.resumedFrom;
  }

  test('goes on where a lost link has left the file', async () => {
    const there = await interrupted();
    expect(there).toBeGreaterThanOrEqual(2 * MIB);
    expect(there).toBeLessThan(size);
    expect(await again()).toBe(there);
  });

  test.each([
    ['the part was damaged', () => corrupt(join(pair.inbox, 'data.bin.part'))],
    ['the file has changed', () => writeFileSync(path, randomBytes(size))],
    ['the file has another date', () => utimesSync(path, 1, 1)],
    ['the part is too long', () => writeFileSync(join(pair.inbox, 'data.bin.part'), Buffer.alloc(size + 5))],
  ])('begins anew, and right, if %s', async (_why, damage) => {
    await interrupted();
    damage();
    expect(await again()).toBe(0);
  });

  test.each([
    ['is damaged', () => writeFileSync(join(pair.inbox, 'data.bin.part.json'), '{"version":1')],
    ['is gone', () => rmSync(join(pair.inbox, 'data.bin.part.json'))],
  ])('touches no part whose journal %s: it may be somebody else’s', async (_why, damage) => {
    const there = await interrupted();
    damage();
    await pair.connect();
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(path);
    const file = (await incoming).accept({ directory: pair.inbox });
    await expect(file.done).rejects.toMatchObject({ code: 'CAPABILITY_FAILED', message: /EEXIST/ });
    await expect(transfer.done).rejects.toMatchObject({ code: 'CAPABILITY_FAILED' });
    expect(readFileSync(join(pair.inbox, 'data.bin.part'))).toHaveLength(there);
    const second = pair.offered();
    const replacing = pair.ab.sendFile(path);
    (await second).accept({ directory: pair.inbox }, { overwrite: true });
    await replacing.done;
    expect(readdirSync(pair.inbox)).toEqual(['data.bin']);
  });

  test('happens by itself when the channel of the file is lost, and sends only the rest', async () => {
    const channels: RTCDataChannel[] = [];
    pair.ab.connection.addEventListener('datachannel', () => undefined);
    pair.ba.connection.addEventListener('datachannel', ({ channel }) => {
      if (channel.protocol === 'ossa-file') channels.push(channel);
    });
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(path);
    const file = await incoming;
    let cut = false;
    file.accept(
      { directory: pair.inbox },
      {
        onProgress: ({ bytes }) => {
          if (cut || bytes < 3 * MIB) return;
          cut = true;
          channels[0]!.close();
        },
      },
    );
    const [received, sent] = await Promise.all([file.done, transfer.done]);
    expect(channels).toHaveLength(2);
    expect(received.resumedFrom).toBeGreaterThanOrEqual(3 * MIB);
    expect(sent.resumedFrom).toBe(received.resumedFrom);
    expect(readFileSync(received.path!).equals(data)).toBe(true);
  });

  test('of a transfer whose end the sender did not hear confirms it, and offers nothing a second time', async () => {
    let offers = 0;
    pair.ba.on('file', (file) => {
      offers++;
      file.accept({ directory: pair.inbox }, { overwrite: true });
    });
    const sum = sha256(Buffer.alloc(4));
    const say = (channel: RTCDataChannel, message: object) => channel.send(JSON.stringify(message));
    for (const offset of [0, 4]) {
      const { channel, answer } = await pair.liar();
      channel.send(OFFER);
      expect(await answer()).toEqual({ type: 'preparing' });
      expect(await answer()).toMatchObject({ type: 'accept', offset, sha256: offset === 0 ? null : sum });
      say(channel, { type: 'start', offset });
      if (offset === 0) channel.send(new Uint8Array(4));
      say(channel, { type: 'finish', size: 4, sha256: sum });
      let last = await answer();
      if (last.type === 'credit') last = await answer();
      expect(last).toEqual({ type: 'done', size: 4, sha256: sum });
      channel.close();
    }
    expect(offers).toBe(1);
  });

  test('with another file under the same id is refused', async () => {
    const incoming = pair.offered();
    (await pair.liar()).channel.send(OFFER);
    const file = await incoming;
    const { channel, answer } = await pair.liar();
    channel.send(OFFER.replace('"size":4', '"size":5'));
    expect(await answer()).toMatchObject({ type: 'abort', code: 'PROTOCOL_ERROR' });
    expect(file.size).toBe(4);
    file.reject();
  });

  test('is not possible for streams, which says so', async () => {
    pair.ba.connection.addEventListener('datachannel', ({ channel }) => {
      channel.addEventListener('message', ({ data }) => typeof data !== 'string' && channel.close());
    });
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(Readable.from([randomBytes(MIB), randomBytes(MIB), randomBytes(MIB)]));
    (await incoming).accept({ directory: pair.inbox });
    await expect(transfer.done).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
  });
});

function corrupt(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
}
