// Which native library is loaded where.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const published = readdirSync(join(__dirname, '..', '..', 'npm'));

const { platformTriple } = jest.requireActual<{ platformTriple: () => string }>(
  join(__dirname, '..', '..', 'dist', 'native', 'loader.js'),
);

const report = process.report as unknown as { excludeNetwork?: boolean; getReport: () => unknown };
const real = { platform: process.platform, arch: process.arch };

function pretend(platform: string, arch: string): void {
  Object.defineProperty(process, 'platform', { value: platform });
  Object.defineProperty(process, 'arch', { value: arch });
}

afterEach(() => {
  pretend(real.platform, real.arch);
  jest.restoreAllMocks();
});

test.each([
  ['x64', '2.36', 'linux-x64-gnu'],
  // Alpine: the report names no glibc.
  ['x64', undefined, 'linux-x64-musl'],
  ['arm', '2.36', 'linux-arm-gnueabihf'],
  ['arm', undefined, 'linux-arm-musleabihf'],
])('Linux on %s with glibc %p takes the library %s', (arch, glibcVersionRuntime, triple) => {
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
