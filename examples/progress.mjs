// A progress bar on a terminal, and a line per quarter elsewhere.

const WIDTH = 30;
const bar = process.stdout.isTTY || process.env.PROGRESS === 'bar';

/** Bytes for people. */
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Returns a function to be called with the bytes done so far. */
export function progress(what, total) {
  const started = performance.now();
  let shown = -1;
  return (done) => {
    const share = total === 0 ? 1 : done / total;
    const step = Math.floor(share * (bar ? 50 : 4));
    if (step === shown) return;
    shown = step;
    const rate = done / 1e6 / ((performance.now() - started) / 1000 || 1);
    const numbers = `${String(Math.floor(share * 100)).padStart(3)} %  ${megabytes(done)}  ${rate.toFixed(0)} MB/s`;
    const drawn = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.');
    if (bar) process.stdout.write(`\r${what} [${drawn}] ${numbers}${done === total ? '\n' : ''}`);
    else console.log(`${what} ${numbers}`);
  };
}
