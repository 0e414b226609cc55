// What happens to command lines, right and wrong ones.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { killAll, Program, root, run } from './program';

afterEach(killAll);

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** The names of all commands, as the overview lists them. */
async function commands(): Promise<string[]> {
  const { stdout } = await run('help');
  const list = /Commands:\n((?: {2}[a-z]+ .*\n)+)/.exec(stdout)![1]!;
  return [...list.matchAll(/^ {2}(\w+(?: \w+)*) {2,}/gm)].map(([, name]) => name!);
}

test('the overview, each command and --version explain themselves on standard output', async () => {
  const names = await commands();
  expect(names).toEqual(expect.arrayContaining(['signal', 'keygen', 'ping', 'send', 'receive', 'call']));
  for (const name of names) {
    const [help, flag] = await Promise.all([run('help', ...name.split(' ')), run(...name.split(' '), '--help')]);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain(`Usage: ossa-webrtc ${name} [options]`);
    expect(help.stdout).toContain(`ossa-webrtc ${name}`);
    expect(flag).toEqual(help);
    expect(Math.max(...help.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  }
  for (const flag of ['--version', '-V', '-v']) {
    expect(await run(flag)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  }
});

test('without a command it shows the overview on standard error and fails', async () => {
  const { code, stdout, stderr } = await run();
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('Usage: ossa-webrtc <command>');
});

test.each([
  [['pnig'], 'unknown command pnig; did you mean ping?'],
  [['xyzzy'], 'unknown command xyzzy\n'],
  [['--jsno'], 'unknown option --jsno'],
  [['help', 'recieve'], 'unknown command recieve; did you mean receive?'],
  [['ping', '--cuont', '3', 'agent://a'], 'unknown option --cuont; did you mean --count?'],
  [['ping', '--sig', 'ws://a', 'agent://a'], 'unknown option --sig; did you mean --signaling?'],
  [['ping', '-x', 'agent://a'], 'unknown option -x\n'],
  [['ping', '--count', 'many', 'agent://a'], '--count takes a whole number, not "many"'],
  [['ping', '--count', '0', 'agent://a'], '--count is at least 1, not "0"'],
  [['ping', '--interval', '5 parsecs', 'agent://a'], '--interval takes a time such as 500ms'],
  [['ping', '--count', '1', '-c', '2', 'agent://a'], '-c was given twice'],
  [['ping', 'agent://a', '--count'], '--count needs a value: --count <n>'],
  [['ping', '--count', '--relay', 'agent://a'], '"--relay" looks like an option'],
  [['ping', '--json=yes', 'agent://a'], '--json takes no value, but "yes" was given'],
  [['ping'], 'ping needs <agent>'],
  [['ping', 'agent://a', 'agent://b'], 'ping takes one argument; "agent://b" is too much'],
  [['ping', 'a'], 'an agent URI starts with "agent://", got "a"'],
  [['send', 'package.json', 'a'], 'an agent URI starts with "agent://", got "a"'],
  [['ping', 'agent://a'], 'no signaling server: give --signaling ws://host:port, or set OSSA_SIGNALING'],
  [['ping', '--signaling', 'http', 'agent://a'], 'http'],
  [['ping', '--signaling', 'ws://127.0.0.1:1', '--id', 'me', 'agent://a'], 'me'],
  [['ping', '--signaling', 'ws://127.0.0.1:1', '--relay', 'agent://a'], '--relay needs a TURN server'],
  [['ping', '--signaling', 'ws://127.0.0.1:1', '--ice', 'stun', 'agent://a'], '--ice takes stun:host'],
  [['ping', '--signaling', 'ws://127.0.0.1:1', '--ice', 'turn:h', 'agent://a'], 'needs a user name and a password'],
  [['ping', '--signaling', 'ws://127.0.0.1:1', '--trust', 'agent://a', 'agent://a'], '--trust takes agent://name=KEY'],
  [['ping', '--signaling', 'ws://127.0.0.1:1', '--trust', 'agent://a=/no/such/file', 'agent://a'], '/no/such/file'],
  [['send', 'agent://a'], 'send needs <file...> <agent>, and only "agent://a" was given'],
  [['send', 'report.pdf'], 'send needs <file...> <agent>, and only "report.pdf" was given'],
  [['send'], 'send needs <file> and <agent>'],
  [['receive', '--signaling', 'ws://127.0.0.1:1'], 'there is no terminal to ask at; --accept takes every file'],
  [['call', 'agent://a', 'f', '{"a":', '--signaling', 'ws://127.0.0.1:1'], 'is not JSON'],
  [['keygen', 'f', '-a', 'HS256'], '-a is one of ES256, EdDSA, RS256, not "HS256"'],
  [['signal', '--max-rooms', '0'], '--max-rooms is from 1 to'],
])('%j is refused with what to do instead', async (args, message) => {
  const { code, stdout, stderr } = await run(...args);
  expect(stderr).toContain(message);
  expect(stderr).toContain('See "ossa-webrtc help');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('--verbose adds no stack to what was only written wrong', async () => {
  for (const args of [
    ['pnig', '-v'],
    ['ping', '--verbose'],
    ['-v', 'ping'],
  ]) {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).not.toMatch(/^ +at /m);
  }
});

test('a password in a wrong --ice is not repeated', async () => {
  const { code, stderr } = await run(
    'ping',
    '--signaling',
    'ws://127.0.0.1:1',
    '--ice',
    'turn:u:s3cret@@h',
    'agent://a',
  );
  expect(code).toBe(2);
  expect(stderr).not.toContain('s3cret');
});

test('a wrong environment variable is named', async () => {
  const program = new Program(['signal'], { env: { OSSA_SIGNAL_PORT: 'http' } });
  const { code, stderr } = await program.result();
  expect(code).toBe(2);
  expect(stderr).toContain('OSSA_SIGNAL_PORT takes a whole number, not "http"');
});

test('errors are objects as well with --json', async () => {
  const program = new Program(['ping', '--json', '--signaling', 'ws://127.0.0.1:1', '--timeout', '100ms', 'agent://a']);
  expect((await program.result()).code).toBe(3);
  expect(program.objects).toEqual([
    { type: 'error', code: 'AGENT_UNREACHABLE', message: expect.any(String) as string, exitCode: 3 },
  ]);
  expect(program.stderr).toContain('ossa-webrtc: ');
});
