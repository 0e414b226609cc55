// `mcp serve` and `mcp connect` in processes of their own, between the SDK's client and servers that know nothing of links.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

import { cli, killAll, Program, root, run, signaling } from '../cli/program';
import { rejection } from '../agent/two-agents';
import { ABOUT, textOf } from './setup';

const HABITS = join(__dirname, 'bridge-server.mjs');
const EVERYTHING = join(root, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');

let url: string;
const clients: Client[] = [];
beforeEach(async () => {
  ({ url } = await signaling());
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await killAll();
});

/** Serves a program to anybody. */
async function served(command: string[], ...options: string[]): Promise<Program> {
  const args = ['mcp', 'serve', '--signaling', url, '--id', 'agent://server', '--json', ...options];
  const program = new Program([...args, '--', process.execPath, ...command]);
  await program.object('ready');
  return program;
}

/** A client of the SDK that starts `mcp connect`, as it would start the server. */
async function local(...options: string[]) {
  const client = new Client(ABOUT);
  clients.push(client);
  const args = [cli, 'mcp', 'connect', '--signaling', url, ...options, 'agent://server'];
  const transport = new StdioClientTransport({ command: process.execPath, args, stderr: 'pipe' });
  let stderr = '';
  transport.stderr!.on('data', (piece: Buffer) => (stderr += piece.toString()));
  const closed = new Promise<void>((resolve) => (client.onclose = resolve));
  await client.connect(transport);
  const call = async (name: string, args = {}) => textOf(await client.callTool({ name, arguments: args }));
  return { client, call, closed, said: () => stderr };
}

test('a server from npm that knows standard input only looks local on another agent', async () => {
  await served([EVERYTHING, 'stdio'], '--anyone');
  const { client } = await local();
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['echo', 'get-sum']));
  expect(textOf(await client.callTool({ name: 'echo', arguments: { message: 'hello' } }))).toBe('Echo: hello');
  expect((await client.listResources()).resources.length).toBeGreaterThan(0);
  expect((await client.listPrompts()).prompts.length).toBeGreaterThan(0);
});

test('each client has a process of its own, which ends with it', async () => {
  const program = await served([HABITS], '--anyone');
  const [one, other] = await Promise.all([local(), local()]);
  const pids = await Promise.all([one.call('pid'), other.call('pid')]);
  expect(new Set(pids).size).toBe(2);
  await one.client.close();
  await program.object('ended');
  expect(() => process.kill(Number(pids[0]), 0)).toThrow(/ESRCH/);
  expect(await other.call('pid')).toBe(pids[1]);
});

test('a server that dies is told to its client with the reason, and the next client gets another one', async () => {
  await served([HABITS], '--anyone');
  const { client, closed, said } = await local();
  await rejection(client.callTool({ name: 'die' }));
  await closed;
  expect(said()).toMatch(/the MCP server has ended with code 7/);
  expect(await (await local()).call('chatter')).toBe('done');
});

test('what a server says on standard error is for its operator, and what is no message goes nowhere', async () => {
  const program = await served([HABITS], '--anyone');
  const { call } = await local();
  expect(await call('chatter')).toBe('done');
  expect(await program.object('stderr')).toMatchObject({ session: 1, line: 'this is for \x1b[31mpeople' });
  await program.object('stray');
  expect(program.stderr).not.toContain('\x1b');
  expect(await call('chatter')).toBe('done');
});

test('eight megabytes come through', async () => {
  await served([HABITS], '--anyone');
  expect((await (await local()).call('big')).length).toBe(8_000_000);
});

test('a server that cannot be started refuses the client, and its operator learns why', async () => {
  const program = new Program([
    'mcp',
    'serve',
    '--signaling',
    url,
    '--id',
    'agent://server',
    '--anyone',
    'no-such-program',
  ]);
  await program.text(/ready as/);
  const { code, stderr } = await run('mcp', 'connect', '--signaling', url, 'agent://server');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'ossa-webrtc: the MCP server could not be started; its operator knows why\n',
  });
  expect(program.stderr).toMatch(/cannot be started \(spawn no-such-program ENOENT\)/);
});

test('SIGTERM ends the servers, also one that does not want to', async () => {
  const program = await served([HABITS, '--stubborn'], '--anyone');
  const { call, closed } = await local();
  const pid = Number(await call('pid'));
  program.process.kill('SIGTERM');
  expect(await program.ended).toBe(143);
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  await closed;
});

describe('with keys', () => {
  let folder: string;
  const file = (name: string) => join(folder, name);
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mcp-keys-'));
    for (const name of ['server', 'me', 'stranger']) await run('keygen', file(name));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const key = async (name: string) => (await run('keygen', '--show', file(name))).stdout.trim();
  const identity = async (name: string, other: string, otherKey = other) => [
    ...['--id', `agent://${name}`, '--keys', file(name)],
    ...['--trust', `agent://${other}=${await key(otherKey)}`],
  ];

  test('the agent that is trusted is served and known by name, a stranger is not, and no key gets to the server', async () => {
    const args = await identity('server', 'me');
    const program = new Program(['mcp', 'serve', '--json', ...args, '--', process.execPath, HABITS], {
      env: { OSSA_SIGNALING: url, OSSA_TOKEN: 'secret' },
    });
    await program.object('ready');
    const { call } = await local(...(await identity('me', 'server')));
    expect(await call('caller')).toBe('agent://me');
    expect(await call('secrets')).toBe('OSSA_MCP_CALLER');
    const stranger = [
      'mcp',
      'connect',
      '--signaling',
      url,
      ...(await identity('stranger', 'server')),
      'agent://server',
    ];
    expect(await run(...stranger)).toMatchObject({ code: 4 });
    expect(program.objects.filter(({ type }) => type === 'session')).toHaveLength(1);
  });
});

test.each([
  [['mcp'], /mcp is no command of its own; there are mcp serve and mcp connect/],
  [['mcp', 'serve', '--', 'true'], /who may use the server\? --trust .* --anyone/],
  [['mcp', 'serve', '--known-keys', 'k', '--', 'true'], /say with --allow/],
  [['mcp', 'serve', '--anyone'], /needs <command>/],
  [['mcp', 'connect', '--json', 'agent://a'], /there is no --json/],
])('%j is told what is wrong', async (args, text) => {
  const { code, stderr } = await run(...args);
  expect(code).toBe(2);
  expect(stderr).toMatch(text);
});

test('an input that is no MCP goes nowhere, and the end of the input is the end', async () => {
  await served([HABITS], '--anyone');
  const program = new Program(['mcp', 'connect', '--signaling', url, 'agent://server']);
  const { code, stdout, stderr } = await program.result('hello\n{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
  expect({ code, stdout }).toMatchObject({ code: 0 });
  expect(stderr).toMatch(/no message of MCP was left out: hello/);
});

test('the page about it names the variable that servers find', () => {
  expect(readFileSync(join(root, 'docs', 'mcp.md'), 'utf8')).toContain('OSSA_MCP_CALLER');
});
