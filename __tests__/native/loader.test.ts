// Which native library is loaded where.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { platformTriple } from '../../ts/native/platform-triple';

const published = readdirSync(join(__dirname, '..', '..', 'npm'));

const report = process.report as unknown as { excludeNetwork?: boolean; getReport: () => unknown };
const real = { platform: process.platform, arch: process.arch, execPath: process.execPath };
const folder = mkdtempSync(join(tmpdir(), 'ossa-webrtc-loader-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function pretend(platform: string, arch: string, execPath = join(folder, 'gone')): void {
  Object.defineProperties(process, { platform: { value: platform }, arch: { value: arch } });
  process.execPath = execPath;
}

afterEach(() => {
  pretend(real.platform, real.arch, real.execPath);
  jest.restoreAllMocks();
});

/** The head of a program for Linux with an interpreter, at an offset of its own. */
function program(interpreter: string | undefined): Buffer {
  const file = Buffer.alloc(400);
  file.write('\x7fELF\x02\x01', 'latin1');
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(2, 56);
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(interpreter === undefined ? 2 : 3, 120);
  file.writeBigUInt64LE(300n, 128);
  file.writeBigUInt64LE(BigInt((interpreter ?? '').length + 1), 152);
  file.write(interpreter ?? '', 300);
  return file;
}

test.each([
  ['/lib64/ld-linux-x86-64.so.2', 'linux-x64-gnu'],
  ['/nix/store/0123-glibc-2.40/lib/ld-linux-x86-64.so.2', 'linux-x64-gnu'],
  ['/lib/ld-musl-x86_64.so.1', 'linux-x64-musl'],
])('a program whose loader is %s takes the library %s, and writes no report', (interpreter, triple) => {
  const written = jest.spyOn(report, 'getReport');
  const path = join(folder, 'program');
  writeFileSync(path, program(interpreter));
  pretend('linux', 'x64', path);
  expect(platformTriple()).toBe(triple);
  expect(written).not.toHaveBeenCalled();
});

test.each<[string, Buffer | undefined]>([
  ['is gone', undefined],
  ['is empty', Buffer.alloc(0)],
  ['is a script', Buffer.from('#!/bin/sh\n'.repeat(20))],
  ['is cut off', program('/lib/ld-musl-x86_64.so.1').subarray(0, 100)],
  ['names no loader', program(undefined)],
])('where the program %s, a report tells the library', (_, file) => {
  const path = join(folder, 'other');
  rmSync(path, { force: true });
  if (file) writeFileSync(path, file);
  pretend('linux', 'x64', path);
  const written = jest.spyOn(report, 'getReport').mockReturnValue({ header: { glibcVersionRuntime: '2.36' } });
  expect(platformTriple()).toBe('linux-x64-gnu');
  // Alpine: the report names no glibc.
  written.mockReturnValue({ header: {} });
  expect(platformTriple()).toBe('linux-x64-musl');
});

test.each([
  ['x64', '2.36', 'linux-x64-gnu'],
  // Alpine: the report names no glibc.
  ['x64', undefined, 'linux-x64-musl'],
  ['arm', '2.36', 'linux-arm-gnueabihf'],
  ['arm', undefined, 'linux-arm-musleabihf'],
])('Linux on %s with glibc %p, as a report has it, takes the library %s', (arch, glibcVersionRuntime, triple) => {
  pretend('linux', arch);
  jest.spyOn(report, 'getReport').mockReturnValue({ header: { glibcVersionRuntime } });
  expect(platformTriple()).toBe(triple);
});

test('no names of network addresses are looked up to find that out', () => {
  pretend('linux', 'arm64');
  const seen: unknown[] = [];
  const before = report.excludeNetwork;
  jest.spyOn(report, 'getReport').mockImplementation(() => {
    seen.push(report.excludeNetwork);
    return { header: {} };
  });
  expect(platformTriple()).toBe('linux-arm64-musl');
  expect(seen).toEqual([true]);
  expect(report.excludeNetwork).toBe(before);
});

test.each([
  ['darwin', 'arm64', 'darwin-arm64'],
  ['darwin', 'x64', 'darwin-x64'],
  ['win32', 'x64', 'win32-x64-msvc'],
  ['win32', 'arm64', 'win32-arm64-msvc'],
  ['android', 'arm64', 'android-arm64'],
  ['freebsd', 'x64', 'freebsd-x64'],
])('%s on %s takes the library %s', (platform, arch, triple) => {
  pretend(platform, arch);
  expect(platformTriple()).toBe(triple);
});

test('this machine takes a library that is published', () => {
  expect(published).toContain(platformTriple());
});

test.each(published)('the package for %s is named where tools that trace files look for it', (triple) => {
  const loader = readFileSync(join(__dirname, '..', '..', 'ts', 'native', 'loader.ts'), 'utf8');
  expect(loader).toContain(`if (triple === '${triple}') return require('ossa-webrtc-${triple}')`);
});
