// The published schema says what really goes over the wire: frames of real conversations, and frames that are none.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import { createSignalingServer } from 'ossa-webrtc';
import type { SignalingServer } from 'ossa-webrtc';
import WebSocket from 'ws';

const root = join(__dirname, '../..');
const schema = JSON.parse(readFileSync(join(root, 'schema/signaling.json'), 'utf8')) as { $id: string };
const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
ajv.addSchema(schema);

function validator(name: string): ValidateFunction {
  return ajv.getSchema(`${schema.$id}#/$defs/${name}`)!;
}

/** What is wrong with a value, in the words of the schema. */
function problems(name: string, value: unknown): unknown {
  const validate = validator(name);
  return validate(value) ? [] : validate.errors;
}

let server: SignalingServer;
beforeAll(async () => {
  server = await createSignalingServer();
});
afterAll(() => server.close());

const A = 'agent://example.com/a';
const B = 'agent://example.com/b';
const candidate = { candidate: 'candidate:1 1 udp 1 127.0.0.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0 };

/** What an agent sends in the course of a conversation with another one, and what makes the server refuse. */
const SENT: object[] = [
  { type: 'register', agentId: A },
  { type: 'join', agentId: A, room: 'lobby \u{1f600}' },
  { type: 'offer', from: A, to: B, sessionId: 's', sdp: 'v=0\r\n', auth: { token: 't', publicKey: 'k' } },
  { type: 'answer', from: A, to: B, sdp: { type: 'answer', sdp: 'v=0' } },
  { type: 'ice-candidate', from: A, to: B, candidate },
  { type: 'ice-candidate', from: A, to: B, candidate: null },
  { type: 'error', from: A, to: B, error: { code: 'UNAUTHORIZED', message: 'no' } },
  { type: 'offer', from: A, to: 'agent://nobody', sessionId: 's2', sdp: 'v=0' },
  { type: 'leave', agentId: A, room: 'lobby \u{1f600}' },
  { type: 'unregister', agentId: A },
];
/** The types of what comes back to it, and to the other one, which is in the room already. */
const TO_A = ['registered', 'joined', 'error', 'left', 'unregistered'];
const TO_B = [
  'registered',
  'joined',
  'members',
  'offer',
  'answer',
  'ice-candidate',
  'ice-candidate',
  'error',
  'members',
];

interface Wire {
  send(frames: object[]): void | Promise<void>;
  /** The next so many frames, as they came. */
  receive(count: number): Promise<Record<string, unknown>[]>;
  end(): void | Promise<unknown>;
}

async function overWebSocket(): Promise<Wire> {
  const socket = new WebSocket(server.url, 'ossa-signaling.v1');
  const frames: Record<string, unknown>[] = [];
  let news: () => void = () => undefined;
  socket.on('message', (data: Buffer) => {
    frames.push(JSON.parse(data.toString()) as Record<string, unknown>);
    news();
  });
  await new Promise((resolve) => socket.on('open', resolve));
  return {
    send: (some) => some.forEach((frame) => socket.send(JSON.stringify(frame))),
    receive: async (count) => {
      while (frames.length < count) await new Promise<void>((resolve) => (news = resolve));
      return frames.splice(0, count);
    },
    end: () => socket.close(),
  };
}

async function overHttp(): Promise<Wire> {
  const base = server.url.replace('ws:', 'http:').replace(/\/$/, '');
  const started: unknown = await (await fetch(`${base}/v1/sessions`, { method: 'POST' })).json();
  expect(problems('SessionStarted', started)).toEqual([]);
  const headers = { 'ossa-session': (started as { session: string }).session };
  let last = 0;
  const waiting: Record<string, unknown>[] = [];
  return {
    send: async (frames) => {
      expect(problems('PostedFrames', frames)).toEqual([]);
      const { status } = await fetch(`${base}/v1/frames`, { method: 'POST', headers, body: JSON.stringify(frames) });
      expect(status).toBe(202);
    },
    receive: async (count) => {
      while (waiting.length < count) {
        const body: unknown = await (await fetch(`${base}/v1/frames?after=${last}&wait=25`, { headers })).json();
        expect(problems('ReceivedFrames', body)).toEqual([]);
        const received = body as { frames: Record<string, unknown>[]; last: number };
        last = received.last;
        waiting.push(...received.frames);
      }
      return waiting.splice(0, count);
    },
    end: () => fetch(`${base}/v1/sessions`, { method: 'DELETE', headers }),
  };
}

test.each([
  ['a WebSocket', overWebSocket],
  ['HTTP', overHttp],
])('every frame of a conversation over %s is as the schema says', async (_, open) => {
  const [a, b] = [await open(), await open()];
  await b.send([
    { type: 'register', agentId: B },
    { type: 'join', agentId: B, room: 'lobby \u{1f600}' },
  ]);
  const first = await b.receive(2);
  for (const frame of SENT) expect({ frame, wrong: problems('ClientFrame', frame) }).toEqual({ frame, wrong: [] });
  await a.send(SENT);
  const toA = await a.receive(TO_A.length);
  const toB = [...first, ...(await b.receive(TO_B.length - 2))];
  expect(toA.map(({ type }) => type)).toEqual(TO_A);
  expect(toB.map(({ type }) => type)).toEqual(TO_B);
  for (const frame of [...toA, ...toB]) {
    expect({ frame, wrong: problems('ServerFrame', frame) }).toEqual({ frame, wrong: [] });
  }
  await Promise.all([a.end(), b.end()]);
});

test.each<[string, object]>([
  ['ClientFrame', { type: 'register', agentId: A, resume: 'r', token: 't' }],
  ['ClientFrame', { type: 'prove', agentId: A, proof: 'a.b.c', publicKey: '-----BEGIN PUBLIC KEY-----' }],
  ['ServerFrame', { type: 'challenge', agentId: A, nonce: 'n', audience: 'h:443' }],
  [
    'ServerFrame',
    {
      type: 'registered',
      agentId: A,
      resume: 'r',
      idleTimeoutMs: 1,
      auth: 'keys',
      iceServers: [{ urls: ['turn:h'], username: 'u', credential: 'c' }],
      iceServersTtl: 60,
    },
  ],
  ['ServerFrame', { type: 'ice-servers', agentId: A, iceServers: [{ urls: ['stun:h'] }], ttl: 60 }],
  ['Close', { code: 1001, reason: 'the server is shutting down' }],
])('%s %j is one', (name, frame) => {
  expect(problems(name, frame)).toEqual([]);
});

test.each<[string, unknown]>([
  ['ClientFrame', { type: 'greet' }],
  ['ClientFrame', {}],
  ['ClientFrame', 'register'],
  ['ClientFrame', { type: 'register' }],
  ['ClientFrame', { type: 'register', agentId: 'https://example.com' }],
  ['ClientFrame', { type: 'register', agentId: 'agent://a?b' }],
  ['ClientFrame', { type: 'register', agentId: `agent://${'a'.repeat(512)}` }],
  ['ClientFrame', { type: 'register', agentId: A, resume: 'r'.repeat(129) }],
  ['ClientFrame', { type: 'prove', agentId: A }],
  ['ClientFrame', { type: 'join', agentId: A, room: '' }],
  ['ClientFrame', { type: 'join', agentId: A, room: 'a\nb' }],
  ['ClientFrame', { type: 'join', agentId: A, room: 'r'.repeat(129) }],
  ['SignalingMessage', { type: 'offer', to: B, sdp: 'v=0' }],
  ['SignalingMessage', { type: 'offer', from: A, to: B }],
  ['SignalingMessage', { type: 'offer', from: A, to: B, sdp: 7 }],
  ['SignalingMessage', { type: 'answer', from: A, to: B, sdp: { type: 'offer', sdp: 'v=0' } }],
  ['SignalingMessage', { type: 'offer', from: A, to: B, sdp: 'v=0', sessionId: 's'.repeat(129) }],
  ['SignalingMessage', { type: 'ice-candidate', from: A, to: B, candidate: { sdpMLineIndex: -1 } }],
  ['SignalingMessage', { type: 'ice-candidate', from: A, to: B, candidate: 'candidate:1' }],
  ['SignalingMessage', { type: 'error', from: A, to: B, error: 'no' }],
])('%s %j is none, and the server refuses it as well', async (name, frame) => {
  expect(problems(name, frame)).not.toEqual([]);
  const wire = await overWebSocket();
  await wire.send([frame as object]);
  expect(await wire.receive(1)).toMatchObject([{ type: 'error', error: { code: 'INVALID_MESSAGE' } }]);
  await wire.end();
});

test('the package exports the schema', () => {
  const program = "console.log(JSON.stringify(require('ossa-webrtc/schema/signaling.json')))";
  const printed = execFileSync(process.execPath, ['-e', program], { cwd: root, encoding: 'utf8' });
  expect(JSON.parse(printed)).toEqual(schema);
});
