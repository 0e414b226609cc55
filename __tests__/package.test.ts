import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { version } from 'ossa-webrtc';

const root = join(__dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

test('the native core carries the version of the npm package', () => {
  expect(version).toBe(manifest.version);
});

describe('the packed tarballs, installed into an empty project', () => {
  let folder: string;
  let tarballs: string[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ossa-webrtc-install-'));
    const packed = execFileSync(process.execPath, [join(root, 'scripts/pack.mjs'), join(folder, 'packs')], {
      encoding: 'utf8',
    });
    tarballs = packed.trim().split('\n');
    writeFileSync(join(folder, 'package.json'), '{ "name": "empty", "private": true }');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', ...tarballs], { cwd: folder, stdio: 'pipe' });
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const node = (...args: string[]) => execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' }).trim();

  test('hold the package and the native library of this platform', () => {
    expect(tarballs).toHaveLength(2);
  });

  test('load by require and by import, with the same classes', () => {
    writeFileSync(
      join(folder, 'both.mjs'),
      `import * as esm from 'ossa-webrtc';
       import { createRequire } from 'node:module';
       const cjs = createRequire(import.meta.url)('ossa-webrtc');
       const names = Object.keys(cjs).sort();
       if (names.some((name) => esm[name] !== cjs[name])) throw new Error('import and require differ');
       const ossa = await import('ossa-webrtc/ossa');
       const { WebRTCTransport } = createRequire(import.meta.url)('ossa-webrtc/ossa');
       if (ossa.WebRTCTransport !== WebRTCTransport) throw new Error('import and require of ./ossa differ');
       console.log(cjs.version);`,
    );
    expect(node('both.mjs')).toBe(manifest.version);
  });

  test('bring a program that starts, with the native library behind it', () => {
    const program = join(folder, 'node_modules', '.bin', 'ossa-webrtc');
    const run = (...args: string[]) =>
      execFileSync(program, args, {
        cwd: folder,
        encoding: 'utf8',
        stdio: 'pipe',
        shell: process.platform === 'win32',
      });
    expect(run('--version').trim()).toBe(manifest.version);
    run('keygen', 'agent.key');
    expect(readFileSync(join(folder, 'agent.key'), 'utf8')).toContain('PRIVATE KEY');
  });

  test('say what to do when the platform package is missing', () => {
    const { stderr, status } = spawnSync(process.execPath, ['-e', "require('ossa-webrtc')"], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, OSSA_WEBRTC_NATIVE_LIBRARY_PATH: '/nonexistent/library.node' },
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain('/nonexistent/library.node');
    expect(stderr).toContain('npm run build:native');
    expect(stderr).toContain('leave "ossa-webrtc" out (as external)');
  });

  // `Event`, `Blob` and their like come from one of the two.
  test.each([
    ['with the DOM library', ['es2022', 'dom'], []],
    ['with the types of Node', ['es2022'], ['node']],
    ['with both', ['es2023', 'dom'], ['node']],
  ])(
    'type-check in a strict TypeScript project %s',
    (_, lib, types) => {
      writeFileSync(
        join(folder, 'user.mts'),
        `import { RTCPeerConnection, createPeer, version } from 'ossa-webrtc';
       import 'ossa-webrtc/polyfill';
       export const v: string = version;
       const connection = new RTCPeerConnection({ iceServers: [{ urls: 'stun:192.0.2.1' }] });
       connection.createDataChannel('c').onmessage = ({ data }) => console.log(data);
       export const link = await createPeer({ agentId: 'agent://a', signaling: 'ws://localhost' }).connect('agent://b');
      `,
      );
      // An EventEmitter, like the class that it stands for: it cannot be used without the types of Node.
      writeFileSync(
        join(folder, 'ossa.mts'),
        `import { InMemorySignalingServer, WebRTCTransport, type WebRTCMessage } from 'ossa-webrtc/ossa';
       const signaling = new InMemorySignalingServer().registerAgent('agent://a');
       new WebRTCTransport({ agentId: 'agent://a', remoteAgentId: 'agent://b', signaling, iceServers: [] })
         .on('message', ({ payload }: WebRTCMessage<string>) => payload.length);
      `,
      );
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            ...{ strict: true, noEmit: true, target: 'es2022', module: 'node20', lib, types },
            typeRoots: [join(root, 'node_modules/@types')],
          },
          files: ['user.mts', ...(types.length > 0 ? ['ossa.mts'] : [])],
        }),
      );
      const { stdout, status } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect(stdout).toBe('');
      expect(status).toBe(0);
    },
    120_000,
  );

  test('pass publint and arethetypeswrong', () => {
    const bin = (name: string, ...args: string[]) =>
      spawnSync(join(root, 'node_modules/.bin', name), args, { cwd: folder, encoding: 'utf8' });
    const lint = bin('publint', '--strict', join(folder, 'node_modules/ossa-webrtc'));
    expect(`${lint.stdout}${lint.status}`).toMatch(/0$/);
    const types = bin('attw', tarballs[0]!, '--format', 'ascii', '--no-emoji');
    expect(`${types.stdout}${types.status}`).toMatch(/0$/);
  }, 120_000);
});
