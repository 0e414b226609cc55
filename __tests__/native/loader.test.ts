// Which native library is loaded where.
import { join } from 'node:path';

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
  ['2.36', 'linux-x64-gnu'],
  // Alpine: the report names no glibc.
  [undefined, 'linux-x64-musl'],
])('Linux with glibc %p takes the library %s', (glibcVersionRuntime, triple) => {
  pretend('linux', 'x64');
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
])('%s on %s takes the library %s', (platform, arch, triple) => {
  pretend(platform, arch);
  expect(platformTriple()).toBe(triple);
});

test('this machine takes the library that was built for it', () => {
  expect(platformTriple()).toMatch(/^(linux-(x64|arm64)-(gnu|musl)|darwin-(x64|arm64)|win32-(x64|arm64)-msvc)$/);
});
