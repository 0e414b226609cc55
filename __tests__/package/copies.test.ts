// Two copies of the package in one process, as npm installs them when two dependencies want different versions, and as pnpm does, by hard
// links to the same files, when two have different peers beside it.
import { copyFileSync, cpSync, linkSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { Project, root } from './installed';

let project: Project;
let packages: string[];
beforeAll(() => {
  project = new Project();
  packages = readdirSync(project.path('node_modules')).filter((name) => name.startsWith('ossa-webrtc'));
}, 120_000);
afterAll(() => project.remove());

/** A dependency with a copy of its own; its folder. */
function dependency(name: string, place: (from: string, to: string) => void): string {
  const folder = project.path('node_modules', name);
  for (const one of packages) {
    const [from, to] = [project.path('node_modules', one), join(folder, 'node_modules', one)];
    for (const file of readdirSync(from, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      const target = join(to, path.slice(from.length));
      mkdirSync(dirname(target), { recursive: true });
      place(path, target);
    }
  }
  return folder;
}

/** Makes another version of what is below `folder`, as far as the two can tell: its code and its library say so. */
function raise(folder: string, version: string): void {
  const change = (file: string, from: string | RegExp, to: string) => {
    const path = join(folder, 'node_modules', file);
    const text = readFileSync(path, 'utf8');
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`${path} has no ${from}`);
    writeFileSync(path, changed);
  };
  change('ossa-webrtc/package.json', /"version": "[^"]*"/, `"version": "${version}"`);
  change('ossa-webrtc/dist/core.js', /(?<={ version: )"[^"]*"/, `"${version}"`);
  const platform = packages.find((name) => name !== 'ossa-webrtc')!;
  change(`${platform}/package.json`, /"main": "[^"]*"/, '"main": "index.js"');
  const library = `./ossa-webrtc.${platform.slice('ossa-webrtc-'.length)}.node`;
  writeFileSync(
    join(folder, 'node_modules', platform, 'index.js'),
    `module.exports = { ...require('${library}'), version: () => '${version}' };`,
  );
}

const TALK = join(root, 'scripts', 'versions', 'talk.mjs');
const AGENTS = 'hello, bob, hi, alice, file';
const SAID = ['two', 'heard', 'heard', 'heard', 'heard', AGENTS, AGENTS, 'SyntaxError', 'SyntaxError'];

test.each<[string, (from: string, to: string) => void, string | undefined]>([
  ['copies', copyFileSync, undefined],
  ['hard links', linkSync, undefined],
  ['two versions', copyFileSync, '0.9.9'],
])('two of them, as %s, work beside each other and with each other, also in a worker', (how, place, version) => {
  const folder = dependency(how.replace(' ', '-'), place);
  if (version !== undefined) raise(folder, version);
  const [main, worker] = JSON.parse(project.node(TALK, project.folder, folder)) as unknown[][];
  expect(main).toEqual([...SAID, 'heard']);
  expect(worker).toEqual(SAID);
});

test('a library that was left from another version is told in one sentence, with what to do', () => {
  const [platform] = packages.filter((name) => name !== 'ossa-webrtc');
  const folder = project.path('node_modules', 'stale', 'node_modules');
  project.write('node_modules/stale/index.js', "require('ossa-webrtc');");
  cpSync(project.path('node_modules', 'ossa-webrtc'), join(folder, 'ossa-webrtc'), { recursive: true });
  const library = `ossa-webrtc.${platform!.slice('ossa-webrtc-'.length)}.node`;
  // What an addon of yesterday has: it loads, and lacks what the code of today calls.
  const older = (change: string) =>
    project.write(
      join('node_modules', 'stale', 'node_modules', platform!, 'index.js'),
      `const library = require(${JSON.stringify(project.path('node_modules', platform!, library))}); ${change}`,
    );
  const load = () => project.try(['-e', "require('stale')"]);

  older('module.exports = library;');
  expect(load()).toMatchObject({ status: 0, stderr: '' });
  const said = (reason: string) =>
    `the native library ${platform} does not belong to this version of the package (0.1.0): ${reason}. ` +
    `What to do: install the package anew, or, in a clone of the repository, run "npm run build".`;
  older("module.exports = { ...library, version: () => '0.0.9' };");
  expect(load().stderr).toContain(said('it is version 0.0.9'));
  older('const { Hub, ...rest } = library; module.exports = rest;');
  expect(load().stderr).toContain(said('it was built before this code, and lacks Hub'));
  older('module.exports = { ...library, Peer: class {} };');
  expect(load().stderr).toMatch(/it was built before this code, and lacks Peer\.\w+ and \d+ more\. What/);
  older('module.exports = { hello() {} };');
  expect(load().stderr).toContain(said('it is no library of ours'));
});
