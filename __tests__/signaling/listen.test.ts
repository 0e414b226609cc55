// A place where a signaling server cannot listen: told as Node tells it, with what to do.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';

import { AgentError, createSignalingServer, type SignalingServerOptions } from 'ossa-webrtc';

import { killAll, run } from '../cli/program';

const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) server.close();
  await killAll();
});

async function taken(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  open.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** What a server of Node is told there. */
async function ofNode(host: string, port: number): Promise<NodeJS.ErrnoException> {
  const [error] = (await once(createServer().listen(port, host), 'error')) as [NodeJS.ErrnoException];
  return error;
}

async function refusal(options: SignalingServerOptions): Promise<NodeJS.ErrnoException> {
  return (await createSignalingServer(options).catch((error: unknown) => error)) as NodeJS.ErrnoException;
}

const facts = (error: NodeJS.ErrnoException) => {
  const { code, errno, syscall, address, port } = error as unknown as Record<string, unknown>;
  return { code, errno, syscall, address, port };
};

for (const [host, shown] of [
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '[::1]'],
  ['0.0.0.0', '0.0.0.0'],
] as const) {
  test(`a port that is taken at ${host} is EADDRINUSE, as with a server of Node`, async () => {
    const port = await taken(host);
    const error = await refusal({ host, port });
    expect(facts(error)).toEqual(facts(await ofNode(host, port)));
    expect(error.message).toBe(
      `the signaling server cannot listen on ${shown}:${port} (EADDRINUSE): something listens there already; ` +
        'end that, or take another port: 0 is any that is free',
    );
    expect(error).not.toBeInstanceOf(AgentError);
  });
}

test('a port that another signaling server has is EADDRINUSE', async () => {
  await using first = await createSignalingServer();
  expect(await refusal({ port: first.port })).toMatchObject({ code: 'EADDRINUSE', port: first.port });
});

test('an address that this machine does not have is EADDRNOTAVAIL, as with a server of Node', async () => {
  const error = await refusal({ host: '203.0.113.77', port: 8080 });
  expect(facts(error)).toEqual(facts(await ofNode('203.0.113.77', 8080)));
  expect(error.code).toBe('EADDRNOTAVAIL');
  expect(error.message).toMatch(
    /203\.0\.113\.77:8080 \(EADDRNOTAVAIL\): this machine does not have that address; take one that it has/,
  );
});

test('a port that this user may not take is EACCES, as with a server of Node', () => {
  const command = ['--map-root-user', '--net', 'setpriv', '--bounding-set=-net_bind_service', process.execPath];
  const { stdout, stderr } = spawnSync('unshare', [...command, join(__dirname, 'listen-child.mjs'), '0.0.0.0', '80'], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const [expected, error] = JSON.parse(stdout) as [NodeJS.ErrnoException, NodeJS.ErrnoException];
  expect(error.code).toBe('EACCES');
  expect(facts(error)).toEqual(facts(expected));
  expect(error.message).toMatch(/0\.0\.0\.0:80 \(EACCES\): this user may not; take a port from 1024/);
});

test('a name that nobody knows is told with its place', async () => {
  const error = await refusal({ host: 'nowhere.invalid', port: 8080 });
  expect(error.code).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
  expect(error).toMatchObject({ syscall: 'getaddrinfo', address: 'nowhere.invalid', port: 8080 });
  expect(error.message).toMatch(/cannot listen on nowhere\.invalid:8080 \(E.*\): .* give an IP address$/);
});

test('the program says it in a line, and ends with 1', async () => {
  const port = await taken('127.0.0.1');
  const spoken = await run('signal', '--port', String(port));
  expect(spoken.code).toBe(1);
  expect(spoken.stderr).toMatch(
    /^ossa-webrtc: the signaling server cannot listen on .* \(EADDRINUSE\): .*another port.*\n$/,
  );
  const { code, stdout } = await run('signal', '--json', '--port', String(port));
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ type: 'error', code: 'EADDRINUSE', exitCode: 1 });
});
