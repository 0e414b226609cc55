import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type * as Binding from './binding';

/** The part of `process.report` that tells glibc from musl, without starting a process. */
interface Report {
  excludeNetwork?: boolean;
  getReport(): unknown;
}

function libc(): 'gnu' | 'musl' {
  const report = process.report as Report | undefined;
  if (report === undefined) return 'gnu';
  // Otherwise the report looks up the names of all addresses that this process is connected to, and waits for the answers.
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  try {
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
    return header?.glibcVersionRuntime ? 'gnu' : 'musl';
  } finally {
    report.excludeNetwork = before!;
  }
}

/** The napi-rs name of this platform, for example `linux-x64-gnu`; it names both the file and the npm package. */
export function platformTriple(): string {
  const { platform, arch } = process;
  if (platform === 'linux') return `linux-${arch}-${libc()}`;
  if (platform === 'win32') return `win32-${arch}-msvc`;
  return `${platform}-${arch}`;
}

/** Candidates in order: environment override, a build beside the sources, the installed platform package. */
function candidates(triple: string): string[] {
  const override = process.env.OSSA_WEBRTC_NATIVE_LIBRARY_PATH;
  if (override) return [override];
  const local = join(__dirname, '..', '..', `ossa-webrtc.${triple}.node`);
  return [...(existsSync(local) ? [local] : []), `ossa-webrtc-${triple}`];
}

function load(): typeof Binding {
  const triple = platformTriple();
  const failures: string[] = [];
  for (const candidate of candidates(triple)) {
    try {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- a .node file can only be required
      return require(candidate) as typeof Binding;
    } catch (error) {
      failures.push(`  ${candidate}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    }
  }
  throw new Error(
    `ossa-webrtc: no native library for ${triple} (Node ${process.version}) could be loaded. Tried:\n${failures.join('\n')}\n` +
      `What to do: install the package without "--no-optional"/"--omit=optional", on the platform that it is to run on. A bundler has to ` +
      `leave "ossa-webrtc" out (as external), with the package installed beside the bundle. For a platform without a prebuilt library, ` +
      `run "npm run build:native" in a clone of the repository and point OSSA_WEBRTC_NATIVE_LIBRARY_PATH at the file.`,
  );
}

/** The native binding, loaded once per process and thread. */
export const binding = load();

/** The version of the native core. */
export const version: string = binding.version();
