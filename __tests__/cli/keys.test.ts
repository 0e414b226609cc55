import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AgentKeys, loadAgentKeys } from 'ossa-webrtc';

import { killAll, Program } from './program';

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ossa-cli-'))));

afterEach(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

const keygen = (...args: string[]) => new Program(['keygen', ...args], { cwd: folder }).result();

test.each(['ES256', 'EdDSA', 'RS256'])(
  'keygen writes %s keys that only the owner can read, and prints the public one',
  async (algorithm) => {
    const { code, stdout } = await keygen('a.key', '--algorithm', algorithm, '--kid', 'mine');
    expect(code).toBe(0);
    const keys = await loadAgentKeys(join(folder, 'a.key'));
    expect(keys).toMatchObject({ algorithm, kid: 'mine' });
    expect(stdout.trim()).toBe(keys.publicKey.replace(/-----[^-]+-----|\s/g, ''));
    if (process.platform !== 'win32') expect(statSync(join(folder, 'a.key')).mode & 0o777).toBe(0o600);
  },
);

test('keygen never replaces keys by accident', async () => {
  await keygen('a.key');
  const before = readFileSync(join(folder, 'a.key'), 'utf8');
  const again = await keygen('a.key');
  expect(again).toMatchObject({ code: 1, stdout: '' });
  expect(again.stderr).toContain('a.key is there already; --force replaces it');
  expect(readFileSync(join(folder, 'a.key'), 'utf8')).toBe(before);
  expect((await keygen('a.key', '--force')).code).toBe(0);
  expect(readFileSync(join(folder, 'a.key'), 'utf8')).not.toBe(before);
});

test('keygen shows the public key of keys that are there, in each form', async () => {
  const private_ = generateKeyPairSync('ed25519').privateKey;
  const keys = new AgentKeys(private_);
  writeFileSync(join(folder, 'b.key'), keys.exportPrivateKey(), { mode: 0o600 });
  expect((await keygen('--show', '--pem', 'b.key')).stdout.trim()).toBe(keys.publicKey.trim());
  expect(JSON.parse((await keygen('--show', '--jwk', 'b.key')).stdout)).toEqual(keys.publicJwk);
  expect(JSON.parse((await keygen('--show', '--json', 'b.key')).stdout)).toMatchObject({
    type: 'keys',
    algorithm: 'EdDSA',
    jwk: keys.publicJwk,
  });
});
