// chat between processes.
import { createPeer } from 'ossa-webrtc';

import { killAll, Program, signaling } from './program';

let url: string;

beforeEach(async () => ({ url } = await signaling()));
afterEach(killAll);

const chat = (...args: string[]) => new Program(['chat', ...args], { env: { OSSA_SIGNALING: url } });
const ALICE = 'agent://example.com/alice';
const BOB = 'agent://example.com/bob';

test('two processes talk, see each other come and go, and /quit ends', async () => {
  const alice = chat('--id', ALICE);
  await alice.text(/you are agent:\/\/example.com\/alice/);
  const bob = chat('--id', BOB, ALICE);
  await alice.text(/\* agent:\/\/example.com\/bob .*is here/);
  bob.write('hello\n');
  await alice.text(/^agent:\/\/example.com\/bob: hello\n/m);
  alice.write('hi, bob\n/who\n');
  await bob.text(/^agent:\/\/example.com\/alice: hi, bob\n/m);
  await alice.text(/^agent:\/\/example.com\/bob \(name not proven\)\n/m);
  alice.write('/quit\n');
  expect(await alice.ended).toBe(0);
  // Whoever has called somebody has nobody left.
  expect(await bob.ended).toBe(0);
  expect(bob.stderr).toContain('* agent://example.com/alice has left');
  // What was said is all that is on standard output.
  expect(bob.stdout).toBe('agent://example.com/alice: hi, bob\n');
});

test('what comes from a pipe is sent whole before chat ends', async () => {
  const alice = chat('--id', ALICE, '--json');
  await alice.object('ready');
  const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}`);
  const bob = chat('--id', BOB, ALICE);
  expect((await bob.result(lines.join('\n'))).code).toBe(0);
  await alice.object('left');
  const said = alice.objects.filter(({ type }) => type === 'message');
  expect(said.map(({ text }) => text)).toEqual(lines);
  expect(said[0]).toMatchObject({ from: BOB, timestamp: expect.stringMatching(/Z$/) as string });
});

test('three processes talk in a room', async () => {
  const members = ['a', 'b', 'c'].map((name) => chat('--json', '--room', 'lobby', '--id', `agent://${name}`));
  for (const member of members) {
    await member.object('joined');
    await member.object(
      'joined',
      ({ agent }) => agent !== member.objects.find(({ type }) => type === 'joined')!['agent'],
    );
  }
  members[0]!.write('to all\n');
  for (const member of members.slice(1)) {
    expect(await member.object('message')).toMatchObject({ from: 'agent://a', text: 'to all' });
  }
  members[2]!.process.kill('SIGINT');
  expect(await members[2]!.ended).toBe(130);
  await members[0]!.object('left', ({ agent }) => agent === 'agent://c');
});

test('what others send cannot play tricks with the terminal', async () => {
  const alice = chat('--id', ALICE);
  await alice.text(/you are/);
  await using peer = createPeer({ agentId: BOB, signaling: url });
  await peer.send(ALICE, '\x1b[2Jgone\r\x07\u202etxt.exe');
  await alice.text(/agent:\/\/example.com\/bob: .*\n/);
  expect(alice.stdout).toBe('agent://example.com/bob: \ufffd[2Jgone\ufffd\ufffd\ufffdtxt.exe\n');
});

test('nobody to talk to is unreachable', async () => {
  const bob = chat('--id', BOB, ALICE);
  expect((await bob.result('hello\n')).code).toBe(3);
});
