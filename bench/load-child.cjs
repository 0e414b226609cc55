// Loads one package into a fresh process, and tells what that has cost: `node bench/load-child.cjs require|import PACKAGE [EXPORT]`.
// With EXPORT that is asked for as well: what stands on the W3C's classes is loaded when it is first used.
const [way, name, used] = process.argv.slice(2);

async function load() {
  const before = process.memoryUsage.rss();
  const start = performance.now();
  const loaded = way === 'require' ? require(name) : await import(name);
  if (used && typeof loaded[used] !== 'function') throw new Error(`${name} has no ${used}`);
  const ms = performance.now() - start;
  process.stdout.write(JSON.stringify({ ms, rss: process.memoryUsage.rss() - before }));
  // Some keep the process alive from here on.
  process.exit(0);
}

void load();
