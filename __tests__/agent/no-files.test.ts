// A process without free file descriptors is told so, and what to do, wherever it asks for something that takes one.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

interface Told {
  result?: { errorText: string; errorCode: number; url: string }[];
  error?: { name: string; code: unknown; message: string; details?: unknown };
}

const WHAT_TO_DO = 'Too many open files (close some files and sockets of this process, or let it have more: ulimit -n)';
const telling = expect.stringContaining(WHAT_TO_DO) as string;
const unreachable = {
  name: 'AgentError',
  code: 'AGENT_UNREACHABLE',
  message: telling,
  details: { causes: [{ code: 701, text: telling }] },
};

const SITUATIONS: [what: string, situation: string, told: object][] = [
  ['the first connection of the process', 'first-connection', { name: 'OperationError', message: telling }],
  ['a later connect()', 'connect', unreachable],
  ['the first connect()', 'first-connect', unreachable],
  ['createPeer()', 'create-peer', { name: 'OperationError', message: telling }],
  ['a signaling server', 'signaling-server', { name: 'Error', code: 'EMFILE', message: telling }],
  ['a registration', 'registration', { name: 'AgentError', message: telling }],
];

function told(situation: string): Told {
  const child = [process.execPath, join(__dirname, 'no-files-child.mjs'), situation];
  const { stdout, stderr } = spawnSync('sh', ['-c', 'ulimit -n 256 && exec "$0" "$@"', ...child], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Told;
}

for (const [what, situation, error] of SITUATIONS) {
  test(`${what} says that there are too many open files`, () => {
    expect(told(situation)).toMatchObject({ error });
  });
}

test('a later connection says it in its icecandidateerror', () => {
  const { result } = told('icecandidateerror');
  expect(result!.length).toBeGreaterThan(0);
  for (const event of result!) expect(event).toEqual({ errorText: telling, errorCode: 701, url: '' });
});
