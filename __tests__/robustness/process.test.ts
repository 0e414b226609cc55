// What the classes leave behind in the process that used them.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(__dirname, '..', '..');

const connectAndClose = `
const { RTCPeerConnection } = require('ossa-webrtc');
async function connected() {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate);
  b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate);
  const channel = a.createDataChannel('x');
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
  if (channel.readyState !== 'open') await new Promise((resolve) => (channel.onopen = resolve));
  return { a, b, channel };
}
`;

test('Jest finds no open handles after close()', async () => {
  const config = JSON.stringify({
    rootDir: root,
    testRegex: 'fixtures/open-handles\\.js$',
    moduleNameMapper: { '^ossa-webrtc$': '<rootDir>/index.js' },
    modulePathIgnorePatterns: ['<rootDir>/target', '<rootDir>/dist', '<rootDir>/interop/ecosystem', '<rootDir>/npm'],
  });
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const { stderr } = await run(process.execPath, [jest, '--detectOpenHandles', `--config=${config}`], { cwd: root });
  expect(stderr).toContain('1 passed');
  expect(stderr).not.toContain('open handle');
}, 60_000);

test('the process ends by itself after close(), and with data on the way', async () => {
  const script = `${connectAndClose}
    connected().then(({ a, b, channel }) => {
      for (let i = 0; i < 100; i++) channel.send(new Uint8Array(60_000));
      a.close();
      b.close();
      console.log('closed');
    });`;
  const { stdout } = await run(process.execPath, ['-e', script], { cwd: root });
  expect(stdout).toBe('closed\n');
});

test('workers that are terminated with open connections leave the others alone', async () => {
  const script = `
    const { Worker } = require('node:worker_threads');
    ${connectAndClose}
    const source = ${JSON.stringify(connectAndClose)} + \`
      connected().then(({ channel }) => {
        require('node:worker_threads').parentPort.postMessage('open');
        setInterval(() => channel.send('x'.repeat(10_000)), 1);
      });\`;
    (async () => {
      const own = await connected();
      for (let i = 0; i < 5; i++) {
        const worker = new Worker(source, { eval: true });
        await new Promise((resolve) => worker.once('message', resolve));
        await worker.terminate();
      }
      const arrived = new Promise((resolve) => (own.b.ondatachannel = ({ channel }) => (channel.onmessage = resolve)));
      const second = own.a.createDataChannel('second');
      await new Promise((resolve) => (second.onopen = resolve));
      second.send('still here');
      console.log((await arrived).data);
      own.a.close();
      own.b.close();
    })();`;
  const { stdout } = await run(process.execPath, ['-e', script], { cwd: root });
  expect(stdout).toBe('still here\n');
});

test('what has been closed is collected at once, and not when a timer of it has run out', async () => {
  const script = `
    ${connectAndClose}
    let left = 20;
    const registry = new FinalizationRegistry(() => left--);
    async function one() {
      const { a, b } = await connected();
      for (const connection of [a, b]) registry.register(connection);
      a.close();
      b.close();
    }
    (async () => {
      for (let i = 0; i < 10; i++) await one();
      for (let turn = 0; turn < 10 && left > 0; turn++) {
        globalThis.gc();
        await new Promise(setImmediate);
      }
      console.log(left);
    })();`;
  const { stdout } = await run(process.execPath, ['--expose-gc', '-e', script], { cwd: root });
  // The last one may still be on the stack.
  expect(Number(stdout)).toBeLessThanOrEqual(2);
});
