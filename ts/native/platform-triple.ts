// Which platform this is, the C library included that the running program is linked to: the native library has to be built for it.
import { closeSync, openSync, readSync } from 'node:fs';

/** The part of `process.report` that tells glibc from musl, without starting a process. */
interface Report {
  excludeNetwork?: boolean;
  getReport(): unknown;
}

/** A segment of a program that names its interpreter, which is the loader of its C library: `PT_INTERP` of the ELF specification. */
const INTERPRETER = 3;

/** The interpreter that a program of 64 bits names, such as `/lib64/ld-linux-x86-64.so.2`; undefined where there is none, or the file is something else. */
function interpreterOf(program: string): string | undefined {
  const file = openSync(program, 'r');
  const read = (size: number, position: number) => {
    const bytes = Buffer.alloc(size);
    readSync(file, bytes, 0, size, position);
    return bytes;
  };
  try {
    const header = read(64, 0);
    if (header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return undefined;
    const size = header.readUInt16LE(54);
    const segments = read(size * header.readUInt16LE(56), Number(header.readBigUInt64LE(32)));
    for (let at = 0; at < segments.length; at += size) {
      if (segments.readUInt32LE(at) !== INTERPRETER) continue;
      const [position, length] = [segments.readBigUInt64LE(at + 8), segments.readBigUInt64LE(at + 32)];
      return read(Number(length), Number(position)).toString('latin1');
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** glibc or musl. The header of the program tells within a tenth of a millisecond, a report within 30 ms. */
function libc(): 'gnu' | 'musl' {
  try {
    const interpreter = interpreterOf(process.execPath);
    if (interpreter !== undefined) return interpreter.includes('/ld-musl-') ? 'musl' : 'gnu';
  } catch {
    // A program that may not be read, or is gone by now.
  }
  return reported();
}

function reported(): 'gnu' | 'musl' {
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
  // 32-bit ARM has two ways of calling functions, and Node is built for the one with hardware floating point.
  if (platform === 'linux') return `linux-${arch}-${libc()}${arch === 'arm' ? 'eabihf' : ''}`;
  if (platform === 'win32') return `win32-${arch}-msvc`;
  return `${platform}-${arch}`;
}
