import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { version } from 'ossa-webrtc';

const manifest = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { version: string };

test('the native core carries the version of the npm package', () => {
  expect(version).toBe(manifest.version);
});
