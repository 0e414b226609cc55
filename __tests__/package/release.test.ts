// A whole release, to a registry of this machine: packed, published, installed and run, as the release workflow does it.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import { root } from './installed';

const registry = join(root, 'interop', 'registry');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const folder = mkdtempSync(join(tmpdir(), 'ossa-webrtc-release-'));
const tarballs = join(folder, 'tarballs');
let server: ChildProcess;
let env: NodeJS.ProcessEnv;

function run(program: string, args: string[], cwd = folder): string {
  const { stdout, stderr, status } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** Programs that a user has without Rust: Node with npm, and the system's. */
const path = [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].filter(
  (place) => !existsSync(join(place, 'cargo')),
);

/** npm's own variables of the run that we are in would win over what is written below. */
const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

beforeAll(async () => {
  if (!existsSync(join(registry, 'node_modules', 'verdaccio'))) {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: registry, stdio: 'pipe' });
  }
  server = spawn(process.execPath, ['serve.cjs', folder], { cwd: registry, stdio: ['pipe', 'pipe', 'inherit'] });
  const [url] = (await once(createInterface(server.stdout!), 'line')) as [string];
  const user = { name: 'releaser', password: 'correct horse battery' };
  const answer = await fetch(new URL(`-/user/org.couchdb.user:${user.name}`, url), {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(user),
  });
  const { token } = (await answer.json()) as { token: string };
  const npmrc = join(folder, '.npmrc');
  // Provenance is signed by a service of the machines that publish, and is the one step left out.
  writeFileSync(npmrc, `registry=${url}\n${url.replace('http:', '')}:_authToken=${token}\nprovenance=false\n`);
  env = { ...inherited, PATH: path.join(':'), NPM_CONFIG_USERCONFIG: npmrc, NPM_CONFIG_CACHE: join(folder, 'cache') };
}, 120_000);

afterAll(async () => {
  if (server.exitCode === null) {
    server.stdin!.end();
    await once(server, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

test('a release is refused while the library of a platform is missing', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/pack.mjs'), '--all', tarballs], {
    env,
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('not built: ');
  expect(stderr).toContain('ossa-webrtc.win32-arm64-msvc.node');
});

test('what is packed is published, the platform before the package, and can be published again after it broke off', () => {
  run(process.execPath, [join(root, 'scripts/pack.mjs'), tarballs]);
  const [platform] = readdirSync(tarballs).filter((name) => name !== `ossa-webrtc-${version}.tgz`);
  const publish = () => run(process.execPath, [join(root, 'scripts/publish.mjs'), tarballs]);
  const said = publish();
  expect(said.indexOf(platform!)).toBeLessThan(said.indexOf(`ossa-webrtc-${version}.tgz`));
  expect(publish().trim().split('\n')).toEqual([
    `${platform}: published already`,
    `ossa-webrtc-${version}.tgz: published already`,
  ]);
}, 60_000);

test('an empty project installs it without any script and without Rust, and it runs there', () => {
  const project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }');
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', 'ossa-webrtc'], project);
  const installed = readdirSync(join(project, 'node_modules')).filter((name) => name.startsWith('ossa-webrtc'));
  expect(installed).toHaveLength(2);
  expect(run(process.execPath, [join(root, 'scripts/smoke.mjs'), 'ossa-webrtc'], project)).toContain(
    `ossa-webrtc ${version} works on`,
  );
  expect(run(join(project, 'node_modules', '.bin', 'ossa-webrtc'), ['--version'], project).trim()).toBe(version);
}, 60_000);
