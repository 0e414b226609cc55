// Empties what `npm run build:ts` writes: a file whose source was renamed would be published for ever.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

for (const folder of ['dist', 'target/types']) rmSync(join(root, folder), { recursive: true, force: true });
