// `npm test`: installs, builds, runs every test. `npm test -- PATTERN` hands the pattern to Jest and leaves the Rust tests out.
import { build, run } from './setup.mjs';

const patterns = process.argv.slice(2);
build();
if (patterns.length === 0) run('cargo', ['test', '--workspace', '--quiet']);
run('npx', ['tsc', '-p', 'tsconfig.json']);
run('npx', ['jest', ...patterns]);
