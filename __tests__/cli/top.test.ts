// `ossa-webrtc top`, and what it may see.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { LinkSnapshot, ProgramSnapshot } from '../../ts/agent/inspection';
import { Rates } from '../../ts/cli/top/rates';
import { linesOf } from '../../ts/cli/top/table';
import { cli, killAll, Program, root, signaling } from './program';

let runtime: string;
let folder: string;

beforeEach(() => {
  runtime = mkdtempSync(join(tmpdir(), 'ossa-top-'));
  folder = join(runtime, 'ossa-webrtc');
});

afterEach(async () => {
  await killAll();
  rmSync(runtime, { recursive: true, force: true });
});

const inbox = 'agent://localhost/inbox';

/** Two programs with a link between them, of which the first lets itself be looked at. */
async function linked(): Promise<Program> {
  const { url } = await signaling();
  const receive = new Program(['receive', '--accept', '--json', '--dir', runtime, '--id', inbox, '--signaling', url], {
    env: { XDG_RUNTIME_DIR: runtime, OSSA_WEBRTC_INSPECT: '1' },
  });
  await receive.object('ready');
  const ping = new Program(['ping', '--json', '--interval', '50ms', '--signaling', url, inbox], {
    env: { XDG_RUNTIME_DIR: runtime },
  });
  await ping.object('answer');
  return receive;
}

const top = (...args: string[]) => new Program(['top', ...args], { env: { XDG_RUNTIME_DIR: runtime } });

test('the links of a program that lets itself be looked at are shown with path, round trip and counts', async () => {
  const receive = await linked();
  const { code, stdout } = await top('--once', '--json').result();
  expect(code).toBe(0);
  const { agents, ...program } = JSON.parse(stdout) as ProgramSnapshot;
  expect(program).toMatchObject({ type: 'snapshot', pid: receive.process.pid, title: 'bin.js' });
  expect(agents).toMatchObject([
    {
      agent: inbox,
      more: 0,
      links: [
        {
          state: 'open',
          authenticated: false,
          local: { protocol: 'udp' },
          bytesReceived: expect.any(Number) as number,
        },
      ],
    },
  ]);
  const plain = await top(String(receive.process.pid)).result();
  expect(plain.stdout).toMatch(
    /^1 program, 1 agent, 1 link\nagent +connected with +state .*\nagent:\/\/localhost\/inbox/,
  );
  expect(plain.stdout).toMatch(/open +direct udp/);
});

test('with --json it goes on, until it is interrupted, and ends with the program that it shows', async () => {
  const receive = await linked();
  const watching = top('--json');
  await watching.object('snapshot');
  await watching.text(/"snapshot"[^]*"snapshot"/);
  watching.process.kill('SIGINT');
  expect(await watching.ended).toBe(130);
  await receive.kill();
  // It had no chance to tidy up: whoever looks next does.
  const { code, stderr } = await top('--once').result();
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('OSSA_WEBRTC_INSPECT=1') as string });
  expect(readdirSync(folder)).toEqual([]);
});

test('on a terminal the table is drawn anew until q is pressed, and the terminal is as before then', async () => {
  await linked();
  const line = [process.execPath, cli, 'top'].map((word) => `'${word}'`).join(' ');
  const command: [string, ...string[]] = ['script', '--quiet', '--return', '--command', line, '/dev/null'];
  const screen = new Program([], { command, env: { TERM: 'xterm', XDG_RUNTIME_DIR: runtime } });
  await screen.text(/\x1b\[\?1049h[^]*inbox[^]*inbox/); // eslint-disable-line no-control-regex -- the other screen
  screen.write('q');
  expect(await screen.ended).toBe(0);
  expect(screen.stdout.trimEnd().endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
});

test('a terminal that becomes narrower gets shorter lines', () => {
  // Python has pseudo terminals whose size can be changed.
  const program = `
import fcntl, os, pty, select, signal, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
size = lambda columns: fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 9, columns, 0, 0))
size(120)
def until(part):
    text = b''
    while part not in text:
        text += os.read(terminal, 65536)
    return text
until(b'No program of yours')
size(20)
until(b'No program of yours\\x1b[K')
os.write(terminal, b'q')
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status))
`;
  const { stdout, stderr } = spawnSync('python3', ['-c', program, process.execPath, cli, 'top'], {
    encoding: 'utf8',
    timeout: 50_000,
    env: { ...process.env, TERM: 'xterm', XDG_RUNTIME_DIR: runtime },
  });
  expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
});

/** A program with one agent, and what it says when it has been closed. */
function agent(code: string, env: Record<string, string> = {}): Program {
  const program = `
    const { createPeer, MemorySignaling } = require('ossa-webrtc');
    const peer = (inspect) => createPeer({ agentId: 'agent://a', signaling: new MemorySignaling(), inspect });
    ${code}`;
  const command: [string, ...string[]] = [process.execPath, '-e', program];
  return new Program([], { command, cwd: root, env: { XDG_RUNTIME_DIR: runtime, ...env } });
}

test('nobody is looked at who has not asked for it', async () => {
  const silent = agent(`const one = peer(); one.ready.then(() => one.close())`);
  expect(await silent.result()).toEqual({ code: 0, stdout: '', stderr: '' });
  // The option is stronger than the environment.
  const hidden = agent(`const one = peer(false); one.ready.then(() => one.close())`, { OSSA_WEBRTC_INSPECT: '1' });
  expect(await hidden.result()).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(existsSync(folder)).toBe(false);
  const wrong = await agent(`peer()`, { OSSA_WEBRTC_INSPECT: 'yes' }).result();
  expect(wrong.stderr).toContain('OSSA_WEBRTC_INSPECT must be 1 or 0, not "yes"');
});

test('only the user gets into the folder, only who knows the secret hears anything, and nothing is left', async () => {
  const program = agent(`
    const one = peer(true);
    console.log('there');
    process.stdin.once('data', () => one.close().then(() => process.stdin.destroy()));`);
  await program.text(/there/);
  const record = await until(() => readdirSync(folder).find((name) => name.endsWith('.json')));
  const mode = (path: string) => statSync(path).mode & 0o777;
  expect([mode(folder), mode(join(folder, record))]).toEqual([0o700, 0o600]);
  const { address, secret } = JSON.parse(readFileSync(join(folder, record), 'utf8')) as Record<string, string>;
  for (const said of ['wrong\n', '\n', `${secret!.slice(1)}x\n`, 'x'.repeat(100_000)]) {
    const socket = connect(address!);
    let heard = '';
    socket.on('data', (data) => (heard += String(data))).on('error', () => undefined);
    socket.write(said);
    await new Promise((resolve) => socket.on('close', resolve));
    expect(heard).toBe('');
  }
  program.write('end\n');
  // It is looked at by nobody now, and ends by itself.
  expect(await program.ended).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});

test('a folder that others can get into is not used, by either side', async () => {
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  const program = agent(`const one = peer(true); one.ready.then(() => one.close())`);
  const { code, stderr } = await program.result();
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringContaining('is open to others (mode 755)') as string,
  });
  expect(readdirSync(folder)).toEqual([]);
  const looking = await top('--once').result();
  expect({ code: looking.code, stderr: looking.stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('is open to others (mode 755)') as string,
  });
});

test('what a program calls itself cannot do anything to the terminal', async () => {
  mkdirSync(folder, { mode: 0o700 });
  const address = join(folder, 'x.sock');
  const title = '\x1b]0;owned\x07\x1b[2J\nline';
  const links = [{ agent: 'agent://b', state: 'open\x1b[31m', authenticated: false, bytesSent: 0, bytesReceived: 0 }];
  const snapshot = {
    type: 'snapshot',
    pid: 1,
    title,
    uptime: 0,
    at: 0,
    agents: [{ agent: 'agent://a', links, more: 0 }],
  };
  const server = createServer((socket) => socket.end(`${JSON.stringify(snapshot)}\n`)).listen(address);
  await once(server, 'listening');
  writeFileSync(join(folder, 'x.json'), JSON.stringify({ pid: 1, title, address, secret: '' }));
  const watching = top();
  const { stdout } = await watching.result();
  server.close();
  // eslint-disable-next-line no-control-regex -- those are what must not reach a terminal
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
});

test('rates are what has been counted between two snapshots, also after a connection was rebuilt', () => {
  const link = (bytesSent: number): LinkSnapshot => {
    return {
      agent: 'agent://b',
      state: 'open',
      authenticated: true,
      bytesSent,
      bytesReceived: 0,
      messagesSent: 0,
      messagesReceived: 0,
    };
  };
  const at = (time: number, sent: number): Map<string, ProgramSnapshot> => {
    const agents = [{ agent: 'agent://a', links: [link(sent)], more: 0 }];
    return new Map([['1.json', { type: 'snapshot', pid: 1, title: 'x', uptime: 0, at: time, agents }]]);
  };
  const rates = new Rates();
  const sendRate = (time: number, sent: number) => rates.rows(at(time, sent))[0]!.sendRate;
  expect(sendRate(0, 1000)).toBeUndefined();
  expect(sendRate(2000, 5000)).toBe(2000);
  // Drawn again without news.
  expect(sendRate(2000, 5000)).toBe(2000);
  expect(sendRate(3000, 300)).toBe(300);
  const rows = rates.rows(at(4000, 300));
  for (const columns of [10, 80, 200]) {
    const lines = linesOf({ programs: at(4000, 300).values(), rows, columns, bold: (text) => text });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
  }
});

async function until<T>(find: () => T | undefined): Promise<T> {
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
