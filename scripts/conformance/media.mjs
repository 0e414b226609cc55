// Runs the Web Platform Tests that `../shared/conformance` leaves out because every subtest of them needs media, as far as they need neither a camera nor an
// element that shows pictures: `WPT_DIR=<folder> node scripts/conformance/media.mjs --out media.json`, and all other options of its run-wpt.mjs.
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

// The runner takes its list from a module beside it.
const hook = `export const resolve = (specifier, context, next) =>
  next(specifier === './wpt-selection.mjs' ? ${JSON.stringify(new URL('selection.mjs', import.meta.url).href)} : specifier, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const own = {
  '--impl': fileURLToPath(new URL('../wpt.mjs', import.meta.url)),
  '--media': undefined,
  '--no-manifest': undefined,
};
for (const [name, value] of Object.entries(own)) {
  if (!process.argv.includes(name)) process.argv.push(name, ...(value === undefined ? [] : [value]));
}
await import('../../../shared/conformance/run-wpt.mjs');
