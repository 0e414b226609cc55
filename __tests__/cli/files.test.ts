// send and receive, two processes with a signaling server in a third.
import { createHash, randomBytes } from 'node:crypto';
import {
  createReadStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';

import { createPeer } from 'ossa-webrtc';

import { killAll, Program, signaling } from './program';

let folder: string;
let url: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ossa-cli-'));
  ({ url } = await signaling());
});

afterEach(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

const INBOX = 'agent://localhost/inbox';
const program = (...args: string[]) => new Program(args, { env: { OSSA_SIGNALING: url }, cwd: folder });

async function receiver(...args: string[]): Promise<Program> {
  const receive = program('receive', '--id', INBOX, '--dir', 'in', '--accept', '--json', ...args);
  await receive.object('ready');
  return receive;
}

/** A file of random bytes, and its SHA-256. */
function file(name: string, size: number): string {
  const hash = createHash('sha256');
  const piece = randomBytes(1_000_000);
  writeFileSync(join(folder, name), '');
  for (let at = 0; at < size; at += piece.length) {
    piece.writeUInt32BE(at / piece.length);
    const part = piece.subarray(0, Math.min(piece.length, size - at));
    hash.update(part);
    writeFileSync(join(folder, name), part, { flag: 'a' });
  }
  return hash.digest('hex');
}

/** Whether a child is neither gone nor waiting to be buried by an event loop that stands still. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(join(folder, path))) hash.update(part as Buffer);
  return hash.digest('hex');
}

test('50 MB arrive whole, and both sides print the same checksum', async () => {
  const checksum = file('big.bin', 50_000_000);
  const receive = await receiver('--once');
  const send = program('send', 'big.bin', INBOX);
  const { code, stdout } = await send.result();
  expect(stdout).toMatch(new RegExp(`^${checksum} {2}big.bin {2}50.0 MB in .+/s\\)\n$`));
  expect(code).toBe(0);
  expect(await receive.ended).toBe(0);
  expect(await receive.object('received')).toMatchObject({
    ...{ name: 'big.bin', path: expect.stringMatching(/big\.bin$/) as string, bytes: 50_000_000, sha256: checksum },
    ...{ resumedFrom: 0 },
  });
  expect(await sha256('in/big.bin')).toBe(checksum);
});

test('a transfer that Ctrl-C has interrupted goes on when the command is run again', async () => {
  const checksum = file('big.bin', 50_000_000);
  await using inbox = createPeer({ agentId: INBOX, signaling: url });
  await inbox.ready;
  const first = program('send', 'big.bin', INBOX);
  const interrupted = new Promise<void>((resolve) => {
    inbox.once('file', (incoming) => {
      const onProgress = () => {
        first.process.kill('SIGINT');
        // Nothing is taken in the meantime, so that the transfer is incomplete on any machine.
        while (isRunning(first.process.pid!)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      };
      incoming.accept({ directory: join(folder, 'in') }, { onProgress }).done.catch(() => resolve());
    });
  });
  expect(await first.ended).toBe(130);
  await interrupted;
  await inbox.close();
  expect(readdirSync(join(folder, 'in')).sort()).toEqual(['big.bin.part', 'big.bin.part.json']);
  await receiver();
  const second = program('send', '--json', 'big.bin', INBOX);
  expect((await second.result()).code).toBe(0);
  const sent = await second.object('sent');
  expect(sent).toMatchObject({ bytes: 50_000_000, sha256: checksum });
  expect(sent['resumedFrom']).toBeGreaterThan(0);
  expect(await sha256('in/big.bin')).toBe(checksum);
});

test('several files and standard input are sent, each under its name', async () => {
  const receive = await receiver();
  file('a.txt', 10);
  file('b.txt', 0);
  expect((await program('send', 'a.txt', 'b.txt', INBOX).result()).code).toBe(0);
  const piped = program('send', '--name', 'c.txt', '-', INBOX);
  expect((await piped.result('from a pipe')).code).toBe(0);
  await receive.object('received', (object) => object['name'] === 'c.txt');
  expect(readdirSync(join(folder, 'in')).sort()).toEqual(['a.txt', 'b.txt', 'c.txt']);
  expect(statSync(join(folder, 'in', 'a.txt')).size).toBe(10);
  expect(readFileSync(join(folder, 'in', 'c.txt'), 'utf8')).toBe('from a pipe');
});

test('what the receiver does not want is refused, and the sender fails with the reason', async () => {
  file('large.bin', 2000);
  file('same.bin', 10);
  const receive = await receiver('--max-size', '1kB', '--allow', 'agent://localhost/send-*');
  const large = await program('send', 'large.bin', INBOX).result();
  expect(large).toMatchObject({ code: 4, stdout: '' });
  expect(large.stderr).toContain('at most 1000 bytes are taken here');
  await receive.object('refused');
  expect((await program('send', 'same.bin', INBOX).result()).code).toBe(0);
  expect((await program('send', 'same.bin', INBOX).result()).code).toBe(1);
  expect(readdirSync(join(folder, 'in'))).toEqual(['same.bin']);
  const stranger = program('send', '--id', 'agent://stranger', 'same.bin', INBOX);
  expect((await stranger.result()).code).toBe(4);
});

test('what another agent calls a file does not lead out of the folder, nor through links in it', async () => {
  file('a.txt', 10);
  const receive = await receiver();
  for (const name of [
    '../../out.txt',
    join(folder, 'out2.txt'),
    '..',
    'C:\\out.exe',
    '.profile',
    'a\u001b[31m\n.txt',
  ]) {
    expect((await program('send', '--name', name, 'a.txt', INBOX).result()).code).toBe(0);
  }
  expect(readdirSync(folder).sort()).toEqual(['a.txt', 'in']);
  expect(readdirSync(join(folder, 'in'))).toHaveLength(6);
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'in', 'link.txt'));
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'in', 'new.txt.part'));
  for (const name of ['link.txt', 'new.txt']) {
    const { code, stderr } = await program('send', '--name', name, 'a.txt', INBOX).result();
    expect(code).toBe(1);
    expect(stderr).toContain('there is something of that name already (EEXIST)');
  }
  expect(receive.stderr).toContain('--overwrite replaces it');
  expect(readdirSync(folder).sort()).toEqual(['a.txt', 'in']);
});

test('a disk that is full, and a folder that is none, are said in words', async () => {
  file('a.txt', 10);
  expect(await program('receive', '--accept', '--dir', 'a.txt').result()).toMatchObject({
    code: 1,
    stderr: 'ossa-webrtc: a.txt: there is something of that name already (EEXIST)\n',
  });
  await using inbox = createPeer({ agentId: INBOX, signaling: url });
  await inbox.ready;
  inbox.on('file', (incoming) => {
    const full = new Writable({
      write: (_data, _encoding, done) => done(Object.assign(new Error('no space left'), { code: 'ENOSPC' })),
    });
    incoming.accept(full).done.catch(() => undefined);
  });
  const { code, stderr } = await program('send', 'a.txt', INBOX).result();
  expect(code).toBe(1);
  expect(stderr).toContain('the file could not be written: the disk is full (ENOSPC)');
});

test('a file that is not there is an error before anybody is called', async () => {
  const { code, stderr } = await program('send', 'nothing.bin', INBOX).result();
  expect(code).toBe(1);
  expect(stderr).toContain('nothing.bin cannot be sent: there is no such file');
});

test('Ctrl-C ends receive', async () => {
  const receive = await receiver();
  receive.process.kill('SIGINT');
  expect(await receive.ended).toBe(130);
});
