// What networks do to a transfer that is under way, and for how long it stalls: Linux, as root or in a user namespace.
//
//   node bench/disturbances/run.mjs                        all rows, half an hour; writes the table of docs/reconnection.md
//   node bench/disturbances/run.mjs --only mtu-576,route   some of them, the others stay as they are
//   --by channel|file: over a channel or by sendFile only; --megabytes 300; --rate 200mbit; --print: nothing is written, each row is printed as JSON
//   --report: nothing is run, the page is written anew from results.json
//
// Each row has a world of its own (`world.mjs`). Three seconds after the first byte the world is disturbed (`disturbances.mjs`).
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { DISTURBANCES } from './disturbances.mjs';
import { publish, save } from './report.mjs';
import { run } from './row.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    by: { type: 'string' },
    megabytes: { type: 'string', default: '300' },
    rate: { type: 'string', default: '200mbit' },
    limit: { type: 'string', default: '250' },
    print: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    inside: { type: 'string' },
  },
});

const script = fileURLToPath(import.meta.url);

/** Runs a row in namespaces of its own. */
async function apart(name, by) {
  const inner = [process.execPath, '--no-warnings', script, ...process.argv.slice(2), '--by', by, '--inside', name];
  const child = spawn('unshare', ['--map-root-user', '--net', '--mount', ...inner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const piece of child.stdout) text += piece;
  return JSON.parse(text.trim().split('\n').at(-1) || '{"complete":false,"told":[]}');
}

if (options.inside) {
  const { by, rate } = options;
  const settings = { by, rate, megabytes: Number(options.megabytes), limit: Number(options.limit) };
  console.log(JSON.stringify(await run(options.inside, settings)));
  process.exit(0);
}

if (options.report) {
  publish();
  process.exit(0);
}

for (const name of options.only?.split(',') ?? Object.keys(DISTURBANCES)) {
  for (const by of options.by ? [options.by] : ['channel', 'file']) {
    const result = await apart(name, by);
    if (options.print) console.log(JSON.stringify({ name, by, ...result }));
    else save(name, by, result, Number(options.megabytes));
  }
}
