// `npm test`: installs, builds, runs every test. `npm test -- PATTERN` hands the pattern to Jest and leaves the Rust tests out.
import { build, buildRustStacks, run } from './setup.mjs';

const patterns = process.argv.slice(2);
build();
if (patterns.length === 0) run('cargo', ['test', '--quiet']);
// A peer of the interoperability tests; not one of the workspace's default members, so nothing else builds it.
if (patterns.length === 0 || patterns.some((pattern) => pattern.includes('interop'))) buildRustStacks(['webrtc-rs']);
run('npx', ['tsc', '-p', 'tsconfig.json']);
run('npx', ['jest', ...patterns]);
