// What somebody at a terminal sees. `script` (util-linux) gives the program one.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Output, type Sink } from '../../ts/cli/output/output';
import { progressText, showProgress } from '../../ts/cli/output/progress';
import { bytes, duration, harmless, harmlessJson } from '../../ts/cli/output/text';
import { cli, killAll, Program, signaling } from './program';

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ossa-cli-'))));

afterEach(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

/** The program at a terminal of its own. */
function atTerminal(args: string[], env: Record<string, string> = {}): Program {
  const line = [process.execPath, cli, ...args].map((word) => `'${word}'`).join(' ');
  const command: [string, ...string[]] = ['script', '--quiet', '--return', '--command', line, '/dev/null'];
  return new Program([], { command, cwd: folder, env: { TERM: 'xterm', ...env } });
}

test('colours are for terminals, and NO_COLOR is respected', async () => {
  const coloured = atTerminal(['doctor']);
  await coloured.text(/What works/);
  expect(await coloured.ended).toBe(0);
  expect(coloured.stdout).toContain('\x1b[32mok');
  const plain = atTerminal(['doctor'], { NO_COLOR: '1' });
  expect(await plain.ended).toBe(0);
  expect(plain.stdout).toContain('What works');
  expect(plain.stdout).not.toMatch(/\x1b\[\d+m/); // eslint-disable-line no-control-regex -- colours
});

test('receive asks about each file, and takes what it is told to', async () => {
  const { url } = await signaling();
  writeFileSync(join(folder, 'one.txt'), 'one');
  writeFileSync(join(folder, 'two.txt'), 'two');
  const inbox = 'agent://localhost/inbox';
  const receive = atTerminal(['receive', '--once', '--dir', 'in', '--id', inbox, '--signaling', url]);
  await receive.text(/ready as/);
  const send = (name: string) => new Program(['send', '--signaling', url, name, inbox], { cwd: folder });
  const unwanted = send('one.txt');
  await receive.text(/Take "one\.txt" \(3 B\) from agent:\/\/localhost\/send-\w+\? \[y\/N\]/);
  receive.write('n\n');
  expect((await unwanted.result()).code).toBe(4);
  const wanted = send('two.txt');
  await receive.text(/Take "two\.txt"/);
  receive.write('y\n');
  expect((await wanted.result()).code).toBe(0);
  expect(await receive.ended).toBe(0);
  expect(readdirSync(join(folder, 'in'))).toEqual(['two.txt']);
});

test('Ctrl-C at the keyboard ends chat', async () => {
  const { url } = await signaling();
  const chat = atTerminal(['chat', '--signaling', url]);
  await chat.text(/you are/);
  chat.write('\x03');
  expect(await chat.ended).toBe(130);
});

class Screen implements Sink {
  text = '';
  readonly columns = 60;
  constructor(readonly isTTY: boolean) {}
  write(text: string): void {
    this.text += text;
  }
}

function output(options: { json?: boolean; tty?: boolean; env?: NodeJS.ProcessEnv } = {}) {
  const [stdout, stderr] = [new Screen(options.tty ?? true), new Screen(options.tty ?? true)];
  const { json = false, env = {} } = options;
  return { out: new Output({ json, quiet: false, verbose: false, env }, stdout, stderr), stdout, stderr };
}

const HALF = { bytes: 5_000_000, total: 10_000_000, rate: 2_500_000 };

test.each([
  ['report.pdf', 80, 'report.pdf  [############-----------] 50%  5.0 MB of 10.0 MB, 2.5 MB/s, 2 s left'],
  ['report.pdf', 60, 'report.pdf  50%  5.0 MB of 10.0 MB, 2.5 MB/s, 2 s left'],
  ['a name that is longer than most.pdf', 60, 'a name that i...  50%  5.0 MB of 10.0 MB, 2.5 MB/s, 2 s left'],
  ['a name that is longer than most.pdf', 20, 'a nam...  50%  5.0 MB of 10.0 MB, 2.5 MB/s, 2 s left'],
])('the figures of %s keep their place in %i columns', (name, columns, text) => {
  const shown = progressText(name, HALF, columns);
  if (columns > 55) expect(shown.length).toBeLessThanOrEqual(columns);
  expect(shown).toBe(text);
});

test('a bar shows how far a transfer is, on one line, and makes room for what is said', () => {
  expect(progressText('report.pdf', HALF)).toBe(
    'report.pdf  [############------------] 50%  5.0 MB of 10.0 MB, 2.5 MB/s, 2 s left',
  );
  expect(progressText('stream', { bytes: 1500, total: undefined, rate: 0 })).toBe('stream  1.5 kB');
  expect(progressText('empty', { bytes: 0, total: 0, rate: 0 })).toContain('100%');
  const { out, stdout, stderr } = output();
  showProgress(out, 'progress', 'report.pdf')(HALF);
  // The rate is not known yet: what has gone into the buffers at once says nothing.
  expect(stderr.text).toBe(`\rreport.pdf  [###########-----------] 50%  5.0 MB of 10.0 MB\x1b[K`);
  stderr.text = '';
  out.result({}, 'said');
  expect(stdout.text).toBe('said\n');
  expect(stderr.text).toMatch(/^\r\x1b\[K\rreport\.pdf .*\x1b\[K$/); // eslint-disable-line no-control-regex -- the cursor
  stderr.text = '';
  out.clearStatus();
  expect(stderr.text).toBe('\r\x1b[K');
});

test('without a terminal there is no bar; programs get objects instead, once a second at most', () => {
  const piped = output({ tty: false });
  showProgress(piped.out, 'progress', 'report.pdf')(HALF);
  const dumb = output({ env: { TERM: 'dumb' } });
  showProgress(dumb.out, 'progress', 'report.pdf')(HALF);
  expect([piped.stderr.text, piped.stdout.text, dumb.stderr.text]).toEqual(['', '', '']);
  const json = output({ json: true });
  const show = showProgress(json.out, 'progress', 'report.pdf');
  show(HALF);
  show(HALF);
  expect(json.stderr.text).toBe('');
  expect(json.stdout.text).toBe(
    '{"type":"progress","name":"report.pdf","bytes":5000000,"total":10000000,"rate":2500000}\n',
  );
});

test('sizes and times are easy to read', () => {
  expect([0, 999, 1000, 99_949, 99_950, 999_499, 999_500, 5e9, 7e15].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '99.9 kB',
    '100 kB',
    '999 kB',
    '1.0 MB',
    '5.0 GB',
    '7.0 PB',
  ]);
  expect([0.01234, 5, 123.4, 1500, 60_000, 61_000, 3_600_000, 3_660_000].map(duration)).toEqual([
    '0.0123 ms',
    '5 ms',
    '123 ms',
    '1.5 s',
    '1 min',
    '1 min 1 s',
    '1 h',
    '1 h 1 min',
  ]);
});

test('nothing of a stranger commands the terminal', () => {
  expect(harmless('a\x1b]0;title\x07\r\nb\tc\u202e\x9b')).toBe('a\ufffd]0;title\ufffd\ufffd\ufffdb\tc\ufffd\ufffd');
  const value = { 'k\x9b': 'v\u2028\u202e\x7f' };
  expect(harmlessJson(value)).toBe('{"k\\u009b":"v\\u2028\\u202e\\u007f"}');
  expect(JSON.parse(harmlessJson(value))).toEqual(value);
  expect(harmlessJson(undefined)).toBe('null');
});
