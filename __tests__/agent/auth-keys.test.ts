// Keys of agents: made, kept, read, and not shown.
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
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
import { inspect } from 'node:util';

import { AgentKeys, generateAgentKeys, KnownKeys, loadAgentKeys, saveAgentKeys } from 'ossa-webrtc';

const folder = mkdtempSync(join(tmpdir(), 'ossa-keys-'));
const file = (name: string) => join(folder, name);
const posix = process.platform === 'win32' ? test.skip : test;

afterAll(() => rmSync(folder, { recursive: true }));

test.each(['ES256', 'EdDSA', 'RS256'] as const)('%s keys survive being saved and loaded', async (algorithm) => {
  const keys = await generateAgentKeys({ algorithm });
  await saveAgentKeys(file(algorithm), keys);
  const loaded = await loadAgentKeys(file(algorithm));
  expect(loaded).toMatchObject({ algorithm, kid: keys.kid, publicKey: keys.publicKey });
  expect(loaded.exportPrivateKey()).toBe(keys.exportPrivateKey());
  expect(loaded.publicJwk).toMatchObject({ kid: keys.kid, alg: algorithm, use: 'sig' });
  expect(loaded.publicJwk).not.toHaveProperty('d');
});

test('a kid of one’s own is kept, whatever it contains', async () => {
  const kid = 'agent://a#"key"\n1';
  await saveAgentKeys(file('kid'), await generateAgentKeys({ kid }));
  expect((await loadAgentKeys(file('kid'))).kid).toBe(kid);
});

posix('the file is for its owner only, and replaced as a whole', async () => {
  const path = file('private');
  writeFileSync(path, 'old', { mode: 0o644 });
  const keys = await generateAgentKeys();
  await saveAgentKeys(path, keys);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect((await loadAgentKeys(path)).kid).toBe(keys.kid);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

posix('saving replaces a link instead of writing where it points', async () => {
  writeFileSync(file('target'), 'untouched');
  symlinkSync(file('target'), file('link'));
  await saveAgentKeys(file('link'), await generateAgentKeys());
  expect(readFileSync(file('target'), 'utf8')).toBe('untouched');
});

posix.each([0o640, 0o604, 0o660, 0o777])(
  'a file with mode %o is refused, and the error says what to do',
  async (mode) => {
    const path = file('open');
    await saveAgentKeys(path, await generateAgentKeys());
    chmodSync(path, mode);
    await expect(loadAgentKeys(path)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining(`run: chmod 600 ${path}`) as string,
    });
    chmodSync(path, 0o600);
  },
);

test('what cannot be written leaves nothing behind', async () => {
  await expect(saveAgentKeys(file('no/such/folder'), await generateAgentKeys())).rejects.toMatchObject({
    code: 'ENOENT',
  });
  await expect(loadAgentKeys(file('missing'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('what is no private key is refused without being quoted', async () => {
  for (const content of [
    'SECRET',
    '-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n',
    'kid: "SECRET\n',
  ]) {
    writeFileSync(file('broken'), content, { mode: 0o600 });
    const error = await loadAgentKeys(file('broken')).catch((reason: unknown) => reason as Error);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain(file('broken'));
    expect(inspect(error)).not.toContain('SECRET');
  }
});

test('keys of other programs are taken: KeyObject, PEM and JWK, of the kinds that are supported', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const jwk = privateKey.export({ format: 'jwk' });
  const [first, ...others] = [privateKey, pem, jwk].map((key) => new AgentKeys(key).publicKey);
  for (const other of others) expect(other).toBe(first);
  expect(first).toBe(publicKey.export({ type: 'spki', format: 'pem' }));
  const sec1 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' });
  expect(new AgentKeys(String(sec1)).algorithm).toBe('ES256');
  const unsupported = [
    generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
    generateKeyPairSync('x25519').privateKey,
    generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey,
    publicKey,
    'nonsense',
    {},
  ];
  for (const key of unsupported) expect(() => new AgentKeys(key)).toThrow(TypeError);
});

test('printing and serializing keys does not show the private part', async () => {
  const keys = await generateAgentKeys();
  const secret = keys.exportPrivateKey().split('\n')[1]!;
  const shown = inspect(keys, { depth: 10, showHidden: true }) + JSON.stringify(keys);
  expect(shown).not.toContain(secret);
});

describe('known keys', () => {
  test('survive the process in a file for the owner only', async () => {
    const path = file('known');
    const [first, second] = await Promise.all([generateAgentKeys(), generateAgentKeys()]);
    const known = await KnownKeys.open(path);
    known.set('agent://A', first.publicKey);
    known.set('agent://b', second.publicJwk);
    await known.saved();
    expect(statSync(path).mode & 0o777).toBe(process.platform === 'win32' ? expect.any(Number) : 0o600);
    const again = await KnownKeys.open(path);
    expect([...again]).toEqual([
      ['agent://a', first.publicKey],
      ['agent://b', second.publicKey],
    ]);
    expect(again.delete('agent://a')).toBe(true);
    await again.saved();
    expect([...(await KnownKeys.open(path))]).toHaveLength(1);
  });

  test('are bounded, and replacing a known one is possible at the bound', async () => {
    const [first, second] = await Promise.all([generateAgentKeys(), generateAgentKeys()]);
    const known = new KnownKeys([['agent://a', first.publicKey]], { capacity: 1 });
    expect(() => known.set('agent://b', second.publicKey)).toThrow(RangeError);
    known.set('agent://a', second.publicKey);
    expect([known.get('agent://a'), known.full]).toEqual([second.publicKey, true]);
  });

  test('a file with something else is refused', async () => {
    writeFileSync(file('else'), 'nonsense', { mode: 0o600 });
    await expect(KnownKeys.open(file('else'))).rejects.toThrow(TypeError);
  });
});
