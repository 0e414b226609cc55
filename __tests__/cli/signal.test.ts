import { createPeer } from 'ossa-webrtc';

import { killAll, Program, signaling } from './program';

afterEach(killAll);

test('signal says where it listens, serves agents, and ends with 0 on SIGTERM and on Ctrl-C', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { program, url } = await signaling();
    const peer = createPeer({ agentId: 'agent://a', signaling: url });
    await peer.ready;
    program.process.kill(signal);
    expect(await program.ended).toBe(0);
    expect(program.objects.map(({ type }) => type)).toEqual(['listening', 'stopping', 'stopped']);
    expect(await program.object('stopping')).toMatchObject({ agents: 1 });
    await peer.close();
  }
});

test('signal speaks to people as well', async () => {
  const program = new Program(['signal', '--port', '0', '--path', '/meet']);
  const [, url] = await program.text(/^listening on (ws:\/\/127\.0\.0\.1:\d+\/meet)\n/);
  const peer = createPeer({ agentId: 'agent://a', signaling: url! });
  await peer.ready;
  await peer.close();
  program.process.kill('SIGINT');
  expect(await program.ended).toBe(0);
  expect(program.stdout).toMatch(/\nstopped after .*; 1 connection, 0 messages relayed\n$/);
});

test('settings come from the environment, and limits count', async () => {
  const program = new Program(['signal', '--json'], {
    env: { OSSA_SIGNAL_PORT: '0', OSSA_SIGNAL_MAX_CONNECTIONS: '1' },
  });
  const { url } = await program.object('listening');
  const first = createPeer({ agentId: 'agent://a', signaling: url as string });
  await first.ready;
  const second = new Program(['ping', '--timeout', '500ms', '--signaling', url as string, 'agent://a']);
  expect((await second.result()).code).toBe(3);
  await first.close();
});

test('a port that is taken is an error with the reason', async () => {
  const { url } = await signaling();
  const program = new Program(['signal', '--port', new URL(url).port]);
  const { code, stdout, stderr } = await program.result();
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toContain(new URL(url).port);
});

test('counters come as often as they are asked for', async () => {
  const { program } = await signaling('--stats', '100ms');
  expect(await program.object('stats')).toMatchObject({ connections: 0, agents: 0, relayed: 0 });
});
