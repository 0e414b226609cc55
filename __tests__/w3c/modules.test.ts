import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(__dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'ossa-webrtc-modules-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a module in a process of its own and returns what it prints as JSON. */
function run(source: string, ...flags: string[]): unknown {
  const file = join(folder, 'main.mjs');
  writeFileSync(file, source);
  return JSON.parse(execFileSync(process.execPath, [...flags, file], { encoding: 'utf8', timeout: 50_000 }));
}

const url = (file: string) => JSON.stringify(pathToFileURL(join(root, file)).href);

test('import and require give the same classes', () => {
  const printed = run(`
    import { createRequire } from 'node:module';
    import * as esm from ${url('dist/index.mjs')};
    const cjs = createRequire(import.meta.url)(${JSON.stringify(join(root, 'index.js'))});
    const names = Object.keys(cjs).filter((name) => name.startsWith('RTC'));
    console.log(JSON.stringify([names.length, names.filter((name) => esm[name] !== cjs[name])]));
  `);
  expect(printed).toEqual([23, []]);
});

test('the polyfill installs the classes as WebIDL installs interface objects', () => {
  const printed = run(`
    import * as api from ${url('dist/index.mjs')};
    import ${url('dist/polyfill.mjs')};
    const names = Object.keys(api).filter((name) => name.startsWith('RTC'));
    console.log(JSON.stringify(names.filter((name) => {
      const d = Object.getOwnPropertyDescriptor(globalThis, name);
      return !(d && d.value === api[name] && d.writable && d.configurable && !d.enumerable);
    })));
  `);
  expect(printed).toEqual([]);
});

const CONNECT = `
  import { RTCPeerConnection } from ${url('dist/index.mjs')};
  const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
  // deref() keeps its target alive for the rest of the job: collect in a job that has not looked.
  const collected = async (ref) => {
    for (let i = 0; i < 400; i++) {
      await turn();
      globalThis.gc();
      await turn();
      if (ref.deref() === undefined) return true;
    }
    return false;
  };
  const connect = async (a, b) => {
    a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate).catch(() => {});
    b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate).catch(() => {});
    await a.setLocalDescription(); await b.setRemoteDescription(a.localDescription);
    await b.setLocalDescription(); await a.setRemoteDescription(b.localDescription);
  };
`;

describe('garbage collection', () => {
  test('takes a connection that was never used, and one that was closed', () => {
    const printed = run(
      `${CONNECT}
      const unused = () => new WeakRef(new RTCPeerConnection());
      const used = async () => {
        const a = new RTCPeerConnection(); const b = new RTCPeerConnection();
        const channel = a.createDataChannel('x');
        await connect(a, b);
        await new Promise((resolve) => { channel.onopen = resolve; });
        a.close(); b.close();
        return [new WeakRef(a), new WeakRef(channel)];
      };
      const refs = [unused(), ...await used()];
      const gone = [];
      for (const ref of refs) gone.push(await collected(ref));
      console.log(JSON.stringify(gone));`,
      '--expose-gc',
    );
    expect(printed).toEqual([true, true, true]);
  });

  test('spares a connection that can still fire events, although script has let go of it', () => {
    const printed = run(
      `${CONNECT}
      const heard = [];
      let say;
      await (async () => {
        const a = new RTCPeerConnection(); const b = new RTCPeerConnection();
        b.ondatachannel = ({ channel }) => { channel.onmessage = ({ data }) => heard.push(data); };
        const channel = a.createDataChannel('x');
        await connect(a, b);
        await new Promise((resolve) => { channel.onopen = resolve; });
        say = (text) => channel.send(text);
      })();
      for (let i = 0; i < 20; i++) { globalThis.gc(); await turn(); }
      say('still there');
      while (heard.length === 0) await turn();
      console.log(JSON.stringify(heard));
      process.exit(0);`,
      '--expose-gc',
    );
    expect(printed).toEqual(['still there']);
  });
});

test('the process ends by itself after close', () => {
  const printed = run(`${CONNECT}
    const a = new RTCPeerConnection(); const b = new RTCPeerConnection();
    const channel = a.createDataChannel('x');
    await connect(a, b);
    await new Promise((resolve) => { channel.onopen = resolve; });
    a.close(); b.close();
    console.log('"closed"');
  `);
  expect(printed).toBe('closed');
});
