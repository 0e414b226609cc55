import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as api from 'ossa-webrtc';

test('what the types offer as a value is there at run time, and the other way round', () => {
  const declarations = readFileSync(join(__dirname, '..', 'index.d.ts'), 'utf8');
  const exported = /^export \{ (.+) \};$/m
    .exec(declarations)![1]!
    .split(', ')
    .map((name) => name.split(' as ').pop());
  expect(exported.sort()).toEqual(Object.keys(api).sort());
});
