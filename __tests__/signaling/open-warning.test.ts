// A server that asks nobody who they are, and that others can reach, says so: however it is started, and once.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { killAll, Program } from '../cli/program';
import { RawClient } from './auth-setup';

afterEach(killAll);

/** What a program says that has `createSignalingServer`, `createServer` of `node:http`, and `once` of `node:events`. */
function warningsOf(code: string, source: string): { status: number | null; warnings: number } {
  const program = `
    const { createSignalingServer } = require(${JSON.stringify(join(__dirname, '../../index.js'))});
    const { createServer } = require('node:http');
    const { once } = require('node:events');
    (async () => { ${source} })();`;
  const { stderr, status } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  return { status, warnings: stderr.split(`[${code}`).length - 1 };
}

test.each([
  ['OSSA_SIGNALING_OPEN', "{ host: '0.0.0.0' }", 1],
  ['OSSA_SIGNALING_OPEN', '{}', 0],
  // A proxy on this machine is there for others.
  ['OSSA_SIGNALING_OPEN', "{ trustProxy: ['127.0.0.1'] }", 1],
  ['OSSA_SIGNALING_OPEN', "{ host: '0.0.0.0', auth: { mode: 'bearer', tokens: ['t'] } }", 0],
  ['OSSA_SIGNALING_AUDIENCE', "{ host: '0.0.0.0', auth: { mode: 'tofu' } }", 1],
  ['OSSA_SIGNALING', "{ host: '::', auth: { mode: 'tofu', audience: 'signal.example' } }", 0],
])('%s is warned of for %s %d times', (code, options, times) => {
  const source = `for (let i = 0; i < 2; i++) await (await createSignalingServer(${options})).close();`;
  expect(warningsOf(code, source)).toEqual({ status: 0, warnings: times });
});

const EMBEDDED = {
  before: `server.listen(WHERE); await once(server, 'listening'); const part = await createSignalingServer(OPTIONS);`,
  after: `const part = await createSignalingServer(OPTIONS); server.listen(WHERE); await once(server, 'listening');`,
  again: `const part = await createSignalingServer(OPTIONS); server.listen(0, '127.0.0.1'); await once(server, 'listening');
    server.close(); await once(server, 'close'); server.listen(WHERE); await once(server, 'listening');`,
};

test.each([
  ['before', "0, '0.0.0.0'", '', 1],
  ['after', "0, '0.0.0.0'", '', 1],
  ['after', '0', '', 1],
  ['again', "0, '0.0.0.0'", '', 1],
  ['before', "0, '127.0.0.1'", '', 0],
  ['after', "0, '127.0.0.1'", '', 0],
  ['after', "'/tmp/ossa-' + process.pid + '.sock'", '', 0],
  ['after', "0, '127.0.0.1'", ", trustProxy: ['127.0.0.1']", 1],
  ['after', "0, '0.0.0.0'", ", auth: { mode: 'bearer', tokens: ['t'] }", 0],
] as const)('a part of a server that listens %s, at %s%s: warned of %d times', (when, where, more, times) => {
  const options = `{ server, path: '/signaling'${more} }`;
  const source = EMBEDDED[when].replace('OPTIONS', options).replace('WHERE', where);
  const whole = `const server = createServer(); ${source} await part.close(); server.close();`;
  expect(warningsOf('OSSA_SIGNALING_OPEN', whole)).toEqual({ status: 0, warnings: times });
});

test.each([
  [['--host', '0.0.0.0'], 1],
  [['--host', '0.0.0.0', '--quiet'], 1],
  [['--trust-proxy', '127.0.0.1'], 1],
  [[], 0],
  [['--host', '0.0.0.0', '--auth', 'tofu', '--audience', 'signal.example'], 0],
] as const)('the program with %j warns people %d times', async (args, times) => {
  const program = new Program(['signal', '--port', '0', ...args]);
  await program.text(/listening on/);
  program.process.kill('SIGTERM');
  expect(await program.ended).toBe(0);
  expect(program.stderr.split('anyone can register under any free name').length - 1).toBe(times);
});

test('the program tells people what a warning is about', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ossa-warning-'));
  const tokens = join(folder, 'tokens.json');
  writeFileSync(tokens, '["right-token"]', { mode: 0o600 });
  const program = new Program(['signal', '--port', '0', '--auth', 'bearer', '--tokens-file', tokens]);
  const [, url] = await program.text(/^listening on (\S+)\n/);
  const client = await RawClient.connect(url!);
  await client.ask({ type: 'register', agentId: 'agent://who', token: 'wrong-token' });
  await program.text(/warning: a registration was denied .*agent=agent:\/\/who/);
  await client.close();
  program.process.kill('SIGTERM');
  await program.ended;
  rmSync(folder, { recursive: true });
  expect(program.stderr).not.toContain('wrong-token');
});
