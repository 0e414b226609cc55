import { existsSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';

import type * as Binding from './binding';
import { expected, mismatch } from './interface';
import { platformTriple } from './platform-triple';

/** Requires a file or a package as a program in that place would, also from within a single executable. */
function requireFrom(place: string, id: string): typeof Binding {
  return createRequire(place)(id) as typeof Binding;
}

/** Whether all of this program is one file, which requires nothing but built-in modules by itself. Node 20.12 and later tell. */
function isSingleExecutable(): boolean {
  if (!isBuiltin('node:sea')) return false;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- older versions of Node lack it
  return (require('node:sea') as { isSea(): boolean }).isSea();
}

/**
 * The installed platform package. Its name is written out for each platform, within `try`: so tools that trace or bundle files
 * find those that are installed, and let the others be missing.
 */
function installed(triple: string): typeof Binding {
  if (isSingleExecutable()) return requireFrom(process.execPath, `ossa-webrtc-${triple}`);
  /* eslint-disable @typescript-eslint/no-require-imports -- see above */
  try {
    if (triple === 'linux-x64-gnu') return require('ossa-webrtc-linux-x64-gnu') as typeof Binding;
    if (triple === 'linux-x64-musl') return require('ossa-webrtc-linux-x64-musl') as typeof Binding;
    if (triple === 'linux-arm64-gnu') return require('ossa-webrtc-linux-arm64-gnu') as typeof Binding;
    if (triple === 'linux-arm64-musl') return require('ossa-webrtc-linux-arm64-musl') as typeof Binding;
    if (triple === 'darwin-x64') return require('ossa-webrtc-darwin-x64') as typeof Binding;
    if (triple === 'darwin-arm64') return require('ossa-webrtc-darwin-arm64') as typeof Binding;
    if (triple === 'win32-x64-msvc') return require('ossa-webrtc-win32-x64-msvc') as typeof Binding;
    if (triple === 'win32-arm64-msvc') return require('ossa-webrtc-win32-arm64-msvc') as typeof Binding;
    if (triple === 'linux-arm-gnueabihf') return require('ossa-webrtc-linux-arm-gnueabihf') as typeof Binding;
    if (triple === 'android-arm64') return require('ossa-webrtc-android-arm64') as typeof Binding;
    if (triple === 'freebsd-x64') return require('ossa-webrtc-freebsd-x64') as typeof Binding;
  } catch (error) {
    throw error instanceof Error ? error : new Error(String(error));
  }
  throw new Error('no package is published for this platform');
  /* eslint-enable @typescript-eslint/no-require-imports */
}

/** Where the library may be, in order, each with a name for the error message. */
function* candidates(triple: string): Iterable<[name: string, load: () => typeof Binding]> {
  const override = process.env.OSSA_WEBRTC_NATIVE_LIBRARY_PATH;
  if (override) {
    // From the working directory, as every program takes a path that somebody gives it.
    const path = resolve(override);
    yield [path, () => requireFrom(path, path)];
    return;
  }
  const file = `ossa-webrtc.${triple}.node`;
  // A build beside dist/, or above ts/ for tests of the sources; beside a single executable, or beside a bundle, whoever packed it has put it there.
  for (const folder of [join(__dirname, '..'), join(__dirname, '..', '..'), __dirname]) {
    const path = join(folder, file);
    if (existsSync(path)) yield [path, () => requireFrom(path, path)];
  }
  yield [`ossa-webrtc-${triple}`, () => installed(triple)];
}

/** A library that could be loaded, and does not fit: another one further down the list would hide that. */
class StaleLibraryError extends Error {}

function checked(name: string, binding: typeof Binding): typeof Binding {
  const reason = mismatch(binding);
  if (reason === undefined) return binding;
  throw new StaleLibraryError(
    `ossa-webrtc: the native library ${name} does not belong to this version of the package (${expected()}): ${reason}. ` +
      `What to do: install the package anew, or, in a clone of the repository, run "npm run build".`,
  );
}

function load(): typeof Binding {
  const triple = platformTriple();
  const failures: string[] = [];
  for (const [name, attempt] of candidates(triple)) {
    try {
      return checked(name, attempt());
    } catch (error) {
      if (error instanceof StaleLibraryError) throw error;
      failures.push(`  ${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    }
  }
  throw new Error(
    `ossa-webrtc: no native library for ${triple} (Node ${process.version}) could be loaded. Tried:\n${failures.join('\n')}\n` +
      `What to do: install the package without "--no-optional"/"--omit=optional", on the platform that it is to run on. A bundler has to ` +
      `leave "ossa-webrtc" out (as external), with the package installed beside the bundle; or put ossa-webrtc.${triple}.node, out of ` +
      `the package ossa-webrtc-${triple}, beside the bundle or the single executable. For a platform without a prebuilt library, ` +
      `run "npm run build:native" in a clone of the repository and point OSSA_WEBRTC_NATIVE_LIBRARY_PATH at the file.`,
  );
}

/** The native binding, loaded once per process and thread. */
export const binding = load();

/** The version of the native core. */
export const version: string = binding.version();

/**
 * How many connections of this process an internal error of the core has ended, since it was loaded. Each was `failed`, its channels closed with an
 * error, and a line on the standard error output said why. Anything but 0 is a bug: please report that line.
 */
export const internalErrors = (): number => binding.internalErrors();
