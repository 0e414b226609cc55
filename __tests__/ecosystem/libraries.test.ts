// Libraries that expect the WebRTC of a browser, unchanged: two processes of each meet, talk, and one leaves. scripts/ecosystem.mjs writes the
// table of docs/interop.md by the same.
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(__dirname, '..', '..');
const run = promisify(execFile);
// WebTorrent is tried by the script alone. It announces itself twice in a row, and two that announce themselves in the same moment both take
// the other's offer and drop their own (`bittorrent-tracker`): then they meet two minutes later, in one run of ten.
const libraries = readdirSync(join(root, 'interop', 'ecosystem', 'libraries'))
  .map((file) => file.replace(/\.mjs$/, ''))
  .filter((library) => library !== 'webtorrent');

// The first one installs them all.
test.each(libraries)(
  'two processes with %s connect, data goes both ways, the one that stays notices that the other has left, and both end',
  async (library) => {
    const script = join(root, 'scripts', 'ecosystem.mjs');
    const { stdout } = await run(process.execPath, [script, '--only', library]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout.trim()).toBe(`${library}: works`);
  },
  240_000,
);
