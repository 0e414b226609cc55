// How the native library is found, by programs and by tools that pack programs.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

import { Project, root } from './installed';

let project: Project;
let platform: string;
let library: string;
beforeAll(() => {
  project = new Project();
  platform = readdirSync(project.path('node_modules')).find((name) => name.startsWith('ossa-webrtc-'))!;
  library = project.path('node_modules', platform, platform.replace('ossa-webrtc-', 'ossa-webrtc.') + '.node');
}, 120_000);
afterAll(() => project.remove());

const SHOW_VERSION = "console.log('version', require('ossa-webrtc').version)";
const version = `version ${(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version}`;

/** The project as it is on a machine where npm has not installed the platform package. */
function withoutPlatformPackage<T>(steps: () => T): T {
  const folder = project.path('node_modules', platform);
  renameSync(folder, project.path('aside'));
  try {
    return steps();
  } finally {
    renameSync(project.path('aside'), folder);
  }
}

describe('OSSA_WEBRTC_NATIVE_LIBRARY_PATH', () => {
  const load = (path: string, cwd?: string) => {
    const chdir = cwd ? `process.chdir(${JSON.stringify(cwd)});` : '';
    return project.try(['-e', `${chdir}${SHOW_VERSION}`], { OSSA_WEBRTC_NATIVE_LIBRARY_PATH: path });
  };

  beforeAll(() => {
    mkdirSync(project.path('elsewhere'));
    copyFileSync(library, project.path('elsewhere', 'ours.node'));
  });

  test.each([
    ['an absolute path', () => project.path('elsewhere', 'ours.node')],
    ['a path from the working directory', () => join('elsewhere', 'ours.node')],
    ['such a path with a dot in front', () => `.${'/'}elsewhere/ours.node`],
    ['such a path that goes up', () => join('elsewhere', '..', 'elsewhere', 'ours.node')],
  ])('may be %s', (_, path) => {
    const { stdout, stderr } = withoutPlatformPackage(() => load(path()));
    expect(`${stdout}${stderr}`.trim()).toBe(version);
  });

  test.each(['/nonexistent/library.node', 'nonexistent/library.node'])(
    'that leads nowhere (%s) is told, with what to do',
    (path) => {
      const { stderr, status } = load(path);
      expect(status).not.toBe(0);
      expect(stderr).toContain(path.startsWith('/') ? path : project.path(path));
      expect(stderr).toContain('npm run build:native');
    },
  );

  test('at a file that is no library is told as well', () => {
    project.write('elsewhere/text.node', 'no library');
    const { stderr, status } = load('elsewhere/text.node');
    expect(status).not.toBe(0);
    expect(stderr).toContain(project.path('elsewhere', 'text.node'));
  });
});

test('a missing platform package is told, with what to do', () => {
  const { stderr, status } = withoutPlatformPackage(() => project.try(['-e', SHOW_VERSION]));
  expect(status).not.toBe(0);
  expect(stderr).toContain(`Cannot find module '${platform}'`);
  expect(stderr).toContain('leave "ossa-webrtc" out (as external)');
});

test.each([
  ['an ES module', 'main.mjs', "import 'ossa-webrtc';"],
  ['CommonJS', 'main.cjs', "require('ossa-webrtc');"],
  ['a program that imports the polyfill', 'main.mjs', "import 'ossa-webrtc/polyfill';"],
  ['a program that imports the reference class', 'main.mjs', "import 'ossa-webrtc/ossa';"],
])('a tracer of files finds the library from %s', (_, file, text) => {
  project.write(file, text);
  const trace = `require(${JSON.stringify(join(root, 'node_modules/@vercel/nft'))}).nodeFileTrace([${JSON.stringify(file)}])
    .then(({ fileList }) => console.log(JSON.stringify([...fileList])))`;
  const found = JSON.parse(project.node('-e', trace)) as string[];
  expect(found).toContain(relative(project.folder, library));

  // What was found is enough: it runs where only that is.
  const copy = project.path('traced');
  for (const one of found) {
    mkdirSync(dirname(join(copy, one)), { recursive: true });
    copyFileSync(project.path(one), join(copy, one));
  }
  expect(execFileSync(process.execPath, [join(copy, file)], { encoding: 'utf8' })).toBe('');
});

interface Bundling {
  external?: string[];
  loader?: Record<string, string>;
}

/** Bundles a program that needs the package into one file in `folder`. */
function bundle(folder: string, options: Bundling, [name, text] = ['bundle-me.cjs', SHOW_VERSION]): string {
  const outfile = project.path(folder, 'bundle.cjs');
  const whole = { ...options, entryPoints: [project.write(name, text)], outfile };
  const build = { ...whole, bundle: true, platform: 'node', logLevel: 'error' };
  const esbuild = JSON.stringify(join(root, 'node_modules', 'esbuild'));
  project.node('-e', `require(${esbuild}).buildSync(${JSON.stringify(build)})`);
  return outfile;
}

/** The library is no code, and of the platform packages one is installed. */
const WITHOUT_LIBRARY = { external: ['*.node', 'ossa-webrtc-*'] };

test.each<[string, Bundling]>([
  ['leaves the package out', { external: ['ossa-webrtc'] }],
  ['copies the library itself', { loader: { '.node': 'copy' } }],
  ['leaves the platform packages out', WITHOUT_LIBRARY],
])('a bundle runs whose bundler %s', (name, options) => {
  expect(project.node(bundle(name.replaceAll(' ', '-'), options))).toBe(version);
});

test('a bundle of an ES module has the code of the package in it, which needs no package beside it', () => {
  const text = `import wrtc, { createPeer, version } from 'ossa-webrtc';
    import { McpClientTransport } from 'ossa-webrtc/mcp';
    if ([createPeer, McpClientTransport, wrtc.RTCPeerConnection].every((one) => typeof one === 'function')) console.log('version', version);`;
  const outfile = bundle('of-a-module', { loader: { '.node': 'copy' } }, ['bundle-me.mjs', text]);
  const folder = project.path('node_modules', 'ossa-webrtc');
  renameSync(folder, project.path('aside'));
  try {
    expect(project.node(outfile)).toBe(version);
  } finally {
    renameSync(project.path('aside'), folder);
  }
});

test('a bundle runs with the library beside it', () => {
  const outfile = bundle('beside', WITHOUT_LIBRARY);
  copyFileSync(library, join(dirname(outfile), basename(library)));
  expect(withoutPlatformPackage(() => project.node(outfile))).toBe(version);
});

describe('a single executable', () => {
  let executable: string;

  beforeAll(() => {
    const folder = project.path('single');
    const main = bundle('single', WITHOUT_LIBRARY);
    const blob = join(folder, 'blob');
    const config = project.write(
      'single/sea.json',
      JSON.stringify({ main, output: blob, disableExperimentalSEAWarning: true }),
    );
    project.node('--experimental-sea-config', config);
    executable = join(folder, process.platform === 'win32' ? 'program.exe' : 'program');
    copyFileSync(process.execPath, executable);
    const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
    const macho = process.platform === 'darwin' ? ['--macho-segment-name', 'NODE_SEA'] : [];
    if (macho.length > 0) execFileSync('codesign', ['--remove-signature', executable]);
    const postject = join(root, 'node_modules', 'postject', 'dist', 'cli.js');
    project.node(postject, executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse, ...macho);
    if (macho.length > 0) execFileSync('codesign', ['--sign', '-', executable]);
  }, 120_000);

  const run = (env: Record<string, string> = {}) =>
    execFileSync(executable, { cwd: project.folder, encoding: 'utf8', env: { ...process.env, ...env } }).trim();

  test('finds the platform package that is installed beside it', () => {
    expect(run()).toBe(version);
  });

  test('finds the library beside it', () => {
    copyFileSync(library, join(dirname(executable), basename(library)));
    expect(withoutPlatformPackage(() => run())).toBe(version);
  });

  test.each([() => library, () => relative(project.folder, library)])(
    'takes the library that the environment names',
    (path) => {
      expect(run({ OSSA_WEBRTC_NATIVE_LIBRARY_PATH: path() })).toBe(version);
    },
  );
});

describe('deprecations', () => {
  const TALK = `
    const { RTCPeerConnection } = require('ossa-webrtc');
    process.on('warning', (warning) => { console.log('warning', warning.code); });
    const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
    a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate);
    b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate);
    const channel = a.createDataChannel('c');
    channel.onopen = () => { for (let i = 0; i < 100; i++) channel.send(String(i)); };
    const order = [];
    b.ondatachannel = ({ channel: other }) => {
      other.onmessage = async ({ data }) => {
        order.push(Number(data));
        await null;
        await new Promise((resolve) => process.nextTick(resolve));
        order.push(Number(data));
        if (data !== '99') return;
        console.log(order.every((one, index) => one === index >> 1), order.length);
        a.close();
        b.close();
      };
    };
    void (async () => {
      await a.setLocalDescription(); await b.setRemoteDescription(a.localDescription);
      await b.setLocalDescription(); await a.setRemoteDescription(b.localDescription);
    })();`;

  test.each<[string, string[], Record<string, string>]>([
    ['as usual', [], {}],
    ['with --pending-deprecation', ['--pending-deprecation'], {}],
    ['with --throw-deprecation as well', ['--pending-deprecation', '--throw-deprecation'], {}],
    ['with NODE_PENDING_DEPRECATION', [], { NODE_PENDING_DEPRECATION: '1' }],
    ['with NODE_OPTIONS', [], { NODE_OPTIONS: '--pending-deprecation' }],
  ])('messages come one task each, without a warning, %s', (_, flags, env) => {
    const { stdout, stderr } = project.try([...flags, project.write('talk.cjs', TALK)], env);
    expect(`${stdout}${stderr}`).toBe('true 200\n');
  });
});

describe('the polyfill of a bundle for browsers', () => {
  const text = (prelude: string) => {
    const entry = project.write(
      'browser.mjs',
      `${prelude}; await import('ossa-webrtc/polyfill'); console.log('loaded');`,
    );
    return project.try(['--conditions=browser', entry]);
  };

  test('is empty where the classes are', () => {
    expect(text('globalThis.RTCPeerConnection = class {}').stdout.trim()).toBe('loaded');
  });

  test('leaves alone what is there', () => {
    const { stdout } = text(
      'globalThis.RTCPeerConnection = 7; process.on("exit", () => console.log(RTCPeerConnection))',
    );
    expect(stdout.trim().split('\n')).toEqual(['loaded', '7']);
  });

  test('is nothing in a worker of a browser, which has none', () => {
    expect(text('delete globalThis.process').stdout.trim()).toBe('loaded');
  });

  test('says in Node that the wrong condition has chosen it', () => {
    expect(text('').stderr).toContain('customExportConditions');
  });
});
