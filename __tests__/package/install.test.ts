import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { transformSync } from '@swc/core';

import { version } from 'ossa-webrtc';
import { Project, root } from './installed';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

test('the native core carries the version of the npm package', () => {
  expect(version).toBe(manifest.version);
});

let project: Project;
beforeAll(() => (project = new Project()), 120_000);
afterAll(() => project.remove());

const installed = (...parts: string[]) => project.path('node_modules', 'ossa-webrtc', ...parts);

test('the tarballs hold the package and the native library of this platform', () => {
  expect(project.tarballs).toHaveLength(2);
});

// By the second bundlers find the package, whose files for that Node can run as well.
test.each([[[]], [['--conditions=module']]])('require and import give the same classes (options %j)', (options) => {
  const both = `import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    for (const entry of ['ossa-webrtc', 'ossa-webrtc/ossa', 'ossa-webrtc/mcp']) {
      const [esm, cjs] = [await import(entry), require(entry)];
      const names = Object.keys(cjs).filter((name) => name !== 'default');
      const other = names.filter((name) => esm[name] !== cjs[name]);
      if (names.length === 0 || other.length > 0) throw new Error(entry + ': import and require differ: ' + other);
    }
    const { default: wrtc } = await import('ossa-webrtc');
    if (wrtc !== require('ossa-webrtc').wrtc) throw new Error('the default export is another');
    console.log(require('ossa-webrtc').version);`;
  expect(project.node(...options, project.write('both.mjs', both))).toBe(manifest.version);
});

test.each(['', '/ossa', '/mcp'])(
  'import of ossa-webrtc%s has Node search no code for the names of exports, which takes longer than to load it',
  (entry) => {
    const quick = `import 'ossa-webrtc${entry}';
      import { createRequire } from 'node:module';
      console.log(process.moduleLoadList.filter((name) => name.includes('cjs-module-lexer')).join());
      const { cache } = createRequire(import.meta.url);
      console.log(Object.keys(cache).some((file) => file.endsWith('core.js')));`;
    expect(project.node(project.write('quick.mjs', quick))).toBe('true');
  },
);

/** What a program of these lines has loaded of the package in the end, without the native library. */
function loaded(...lines: string[]): string[] {
  const print = `console.log(JSON.stringify(Object.keys(require.cache)))`;
  const files = JSON.parse(project.node(project.write('light.cjs', [...lines, print].join('\n')))) as string[];
  return files
    .filter((file) => file.startsWith(installed('dist')) || file === installed('index.js'))
    .map((file) => relative(installed(), file).replaceAll('\\', '/'))
    .sort();
}

const CLASSES = ['dist/core.js', 'dist/index.js', 'index.js'];

test('who requires the package loads three files, and what agents need when it is used', () => {
  const use = "const ours = require('ossa-webrtc'); new ours.RTCPeerConnection().close();";
  expect(loaded(use)).toEqual(CLASSES);
  expect(
    loaded(use, 'if (!Object.keys(ours).includes("createPeer")) throw new Error("createPeer is not listed")'),
  ).toEqual(CLASSES);
  expect(loaded(use, 'ours.createPeer;')).toEqual(['dist/agent.js', ...CLASSES]);
  expect(loaded("require('ossa-webrtc/polyfill')")).toEqual(['dist/core.js', 'dist/polyfill.js']);
  expect(loaded("require('ossa-webrtc/mcp')").filter((file) => /a2a|cli/.test(file))).toEqual([]);
});

test('no module of Node is loaded for it that takes long, before it is needed', () => {
  const modules = `const before = new Set(process.moduleLoadList); require('ossa-webrtc').createPeer;
    console.log(process.moduleLoadList.filter((name) => !before.has(name) && /NativeModule (https?|net|tls|child_process|stream\\/web)$/.test(name)).join());`;
  expect(project.node('-e', modules)).toBe('');
});

test('an export may be replaced, as tests do, before and after it was used', () => {
  const replace = `const ours = require('ossa-webrtc');
    ours.createPeer = () => 'first';
    const first = ours.createPeer();
    const { loadAgentKeys } = ours;
    ours.loadAgentKeys = () => 'second';
    console.log(first, typeof loadAgentKeys, ours.loadAgentKeys());`;
  expect(project.node('-e', replace)).toBe('first function second');
});

test('the line of a stack is of code that can be read, below the name of its source', () => {
  const fail = `try { new (require('ossa-webrtc').RTCPeerConnection)({ iceServers: [{ urls: 'nonsense' }] }); } catch ({ stack }) { console.log(stack); }`;
  const [, file, line] = /\((.*core\.js):(\d+):\d+\)/.exec(project.node('-e', fail))!;
  const above = readFileSync(file!, 'utf8').split('\n').slice(0, Number(line));
  expect(above.findLast((text) => text.startsWith('/* '))).toMatch(/^\/\* ts\/[\w/-]+\.ts \*\/$/);
  expect(above.at(-1)!.length).toBeLessThan(200);
});

test('the entry for MCP needs no SDK, those for A2A and for tracing say that theirs is missing', () => {
  expect(project.node('-e', "console.log(typeof require('ossa-webrtc/mcp').McpClientTransport)")).toBe('function');
  for (const [entry, missing] of [
    ['a2a', '@a2a-js/sdk'],
    ['tracing', '@opentelemetry/api'],
  ]) {
    const { stderr, status } = project.try(['-e', `require('ossa-webrtc/${entry}')`]);
    expect(status).not.toBe(0);
    expect(stderr).toContain(`Cannot find module '${missing}`);
  }
});

test.each([
  ['mcp.mts', '@modelcontextprotocol/sdk', /hello, agent:\/\/example.com\/anna/],
  ['a2a.mts', '@a2a-js/sdk', /agent:\/\/example.com\/anna says hello/],
])('the example %s runs with the SDK that the project has installed', (example, sdk, said) => {
  project.link(sdk);
  const source = readFileSync(installed('examples', example), 'utf8');
  const { code } = transformSync(source, { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } });
  expect(project.node(project.write('example.mjs', code))).toMatch(said);
});

test.each([
  ['import', 'user.mjs', "import wrtc from 'ossa-webrtc';"],
  ['import by name', 'user.mjs', "import { wrtc } from 'ossa-webrtc';"],
  ['import that was compiled to CommonJS', 'user.cjs', "const { default: wrtc } = require('ossa-webrtc');"],
  ['require', 'user.cjs', "const { wrtc } = require('ossa-webrtc');"],
])('the default export is what libraries call wrtc, by %s', (_, file, load) => {
  const printed = project.node(
    project.write(
      file,
      `${load} const { localDescription } = new wrtc.RTCPeerConnection(); console.log(localDescription)`,
    ),
  );
  expect(printed).toBe('null');
});

test.each(["import 'ossa-webrtc/polyfill';", "require('ossa-webrtc/polyfill');"])(
  '%s makes the classes global',
  (load) => {
    const file = load.startsWith('import') ? 'global.mjs' : 'global.cjs';
    expect(project.node(project.write(file, `${load} console.log(new RTCPeerConnection().signalingState)`))).toBe(
      'stable',
    );
  },
);

test('the program starts, with the native library behind it', () => {
  const program = project.path('node_modules', '.bin', 'ossa-webrtc');
  const run = (...args: string[]) =>
    execFileSync(program, args, {
      cwd: project.folder,
      encoding: 'utf8',
      stdio: 'pipe',
      shell: process.platform === 'win32',
    });
  expect(run('--version').trim()).toBe(manifest.version);
  run('keygen', 'agent.key');
  expect(readFileSync(project.path('agent.key'), 'utf8')).toContain('PRIVATE KEY');
});

test('every link between the documents in the tarball leads to a file that is in it', () => {
  const documents = ['.', 'docs', 'examples'].flatMap((folder) =>
    readdirSync(installed(folder)).flatMap((name) => (name.endsWith('.md') ? [join(folder, name)] : [])),
  );
  expect(documents).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md', join('docs', 'guide.md')]));
  const broken = documents.flatMap((document) => {
    const text = readFileSync(installed(document), 'utf8')
      .replace(/^```.*?^```$/gms, '')
      .replace(/`[^`\n]*`/g, '');
    return [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
      .map((match) => match[1]!)
      .filter((link) => !/^[a-z]+:/.test(link) && !existsSync(installed(dirname(document), link)))
      .map((link) => `${document}: ${link}`);
  });
  expect(broken).toEqual([]);
});

test('nothing is in the tarball that only the build needs, and no declaration twice', () => {
  const files = readdirSync(installed(), { recursive: true, encoding: 'utf8' }).map((file) =>
    file.replaceAll('\\', '/'),
  );
  expect(files.filter((file) => /\.d\.m?ts$/.test(file)).sort()).toEqual([
    'a2a.d.ts',
    'dist/a2a/index.d.mts',
    'dist/index.d.mts',
    'dist/mcp/index.d.mts',
    'dist/ossa/index.d.mts',
    'dist/ossa/index.d.ts',
    'dist/polyfill.d.mts',
    'dist/polyfill.d.ts',
    'dist/tracing/index.d.mts',
    'index.d.ts',
    'mcp.d.ts',
    'tracing.d.ts',
  ]);
  expect(statSync(installed('dist/index.d.mts')).size).toBeLessThan(200);
  expect(files.filter((file) => /(^|\/)(ts|src|crates|__tests__|target)(\/|$)/.test(file))).toEqual([]);
});

test('what is installed is small, and few files of code', () => {
  const sizes = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
      const stat = statSync(join(folder, name));
      return stat.isFile() ? [{ name: name.replaceAll('\\', '/'), size: stat.size }] : [];
    });
  const total = (files: { size: number }[]) => files.reduce((sum, { size }) => sum + size, 0);
  const all = sizes(installed());
  const code = all.filter(({ name }) => /\.m?js$/.test(name) && !name.startsWith('examples/'));
  expect(code.length).toBeLessThan(30);
  expect(total(code)).toBeLessThan(1_000_000);
  expect(total(all)).toBeLessThan(2_000_000);
});

test('what CI knows about the repository is in the manifests that it publishes', () => {
  const published = new Project({
    GITHUB_SERVER_URL: 'https://git.example',
    GITHUB_REPOSITORY: 'somebody/ossa-webrtc',
  });
  const expected = {
    repository: { type: 'git', url: 'git+https://git.example/somebody/ossa-webrtc.git' },
    homepage: 'https://git.example/somebody/ossa-webrtc#readme',
    bugs: { url: 'https://git.example/somebody/ossa-webrtc/issues' },
  };
  const packages = readdirSync(published.path('node_modules')).filter((name) => name.startsWith('ossa-webrtc'));
  expect(packages).toHaveLength(2);
  for (const name of packages) {
    const written = readFileSync(published.path('node_modules', name, 'package.json'), 'utf8');
    expect(JSON.parse(written)).toMatchObject(expected);
  }
  published.remove();
});

test('publint and arethetypeswrong find nothing', () => {
  const lint = project.tool('publint/src/cli.js', '--strict', installed());
  expect(`${lint.stdout}${lint.status}`).toMatch(/0$/);
  const types = project.tool(
    '@arethetypeswrong/cli/dist/index.js',
    project.tarballs[0]!,
    '--format',
    'ascii',
    '--no-emoji',
  );
  expect(`${types.stdout}${types.status}`).toMatch(/0$/);
}, 120_000);
