// Every example runs to its end and prints what its reader expects. `tsc` and ESLint check their types and style.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';

import { transformSync } from '@swc/core';

import { startBrowser } from './interop/browser';

const root = join(__dirname, '..');
// Inside the package, so that `import 'ossa-webrtc'` finds the package itself, as it finds the installed one elsewhere.
const folder = join(root, '.examples-test');
const sources = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.mts'),
);
const source = (name: string) => readFileSync(join(root, 'examples', name), 'utf8');
/** What others import. */
const parts = new Set(
  sources.flatMap((name) =>
    [...source(name).matchAll(/from '\.\/(?:[\w-]+\/)?([\w-]+\.mts)'/g)].map(([, part]) => part),
  ),
);
/** Those that are programs. */
const examples = sources.filter((name) => !parts.has(basename(name)));

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const name of sources) {
    const { code } = transformSync(source(name), {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    });
    // All in one folder, where their relative imports find them.
    writeFileSync(program(name), code.replaceAll(/from '\.\/(?:[\w-]+\/)?([\w-]+)\.mts'/g, "from './$1.mjs'"));
  }
});
const running: ChildProcess[] = [];
const fronts: Server[] = [];
afterEach(() => {
  for (const front of fronts.splice(0)) front.close();
  for (const child of running.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string): string {
  return join(folder, `${basename(name, '.mts')}.mjs`);
}

/** What each prints, among other things. Those that take part in a conversation have a test of their own below. */
const outcomes: Record<string, RegExp[]> = {
  'request-response.mts': [
    /reserved: .*left: 3/,
    /refused: SOLD_OUT, no table left, try again/,
    /refused: UNKNOWN_ITEM, .*, do not try again/,
    /in stock: .*chair.*3/,
    /given up: TASK_CANCELLED/,
    /the warehouse has stopped counting/,
  ],
  'messages.mts': [/"temperature":21.5/, /"critical": \{"alarm":"smoke"\}/, /"history"/, /binary .*: 3 bytes/],
  'channels.mts': [/reliable: 1638407 bytes/, /unreliable: \d+ bytes/, /partial: \d+ bytes/],
  'keep-alive.mts': [/state: open/, /state: closed/, /Connection closed/],
  'trust.mts': [
    /authenticated: true, by a key that is pinned/,
    /amount: 100/,
    /has refused agent:\/\/example.com\/agent-2/,
  ],
  'neighbours.mts': [/I am agent:\/\/a\b/, /I am agent:\/\/b\b/, /I am agent:\/\/c\b/],
  'files.mts': [/offers dataset.bin, 20971520 bytes/, /sent 20971520 bytes, SHA-256 [0-9a-f]{64}/, /stored/],
  'mcp.mts': [/tools: greet, build/, /hello, agent:\/\/example.com\/anna/, /1 of 3\n2 of 3\n3 of 3/, /built/],
  'a2a.mts': [/found: Echo/, /agent:\/\/example.com\/anna says hello/],
  'signaling-emitter.mts': [/answer: Lisbon: sunny/, /nobody: AGENT_UNREACHABLE/],
  'sfu.mts': [/ben hears anna\ncarla hears anna\ndavid hears anna/],
  'signaling-http.mts': [/found: \{ title: 'Momo', shelf: 7 \}/],
  'shared-state.mts': [
    /ben has seen \{ x: 100, y: 7 \}/,
    /the title is by ben/,
    /carla has \{[^]*x: 100[^]*title: 'by ben'/,
  ],
};
/** Needs a server that somebody else has made. */
const BROKER = 'signaling-redis.mts';
const CONVERSATIONS = [
  ...[BROKER, 'chat.mts', join('browser', 'agent.mts'), join('voice', 'parrot.mts')],
  ...[join('video', 'recorder.mts'), join('video', 'player.mts')],
];

test('every example has a test', () => {
  expect(examples.sort()).toEqual([...Object.keys(outcomes), ...CONVERSATIONS].sort());
});

test('the overview names every example', () => {
  const overview = readFileSync(join(root, 'examples', 'README.md'), 'utf8');
  for (const name of examples) expect(overview).toContain(name.replaceAll('\\', '/'));
});

test.each(Object.entries(outcomes))(
  '%s',
  (name, expected) => {
    const options = { encoding: 'utf8', cwd: root, timeout: 50_000 } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [program(name)], options);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const line of expected) expect(stdout).toMatch(line);
  },
  60_000,
);

/** A program that goes on; its lines come one by one. */
function start(name: string, args: string[] = []) {
  const child = spawn(process.execPath, [program(name), ...args], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  running.push(child);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const line = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
      if (done) throw new Error(`${name} ended without a line like ${String(pattern)}`);
      if (pattern.test(value)) return value;
    }
  };
  return { child, ended, line };
}

/** A Redis server of this test's own: on a socket file, so that it takes no port from anybody. */
async function startRedis(place: string): Promise<void> {
  const options = ['--port', '0', '--unixsocket', place, '--save', '', '--appendonly', 'no', '--dir', folder];
  const redis = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(redis);
  for await (const line of createInterface(redis.stdout)) if (/ready to accept connections/i.test(line)) return;
  throw new Error('redis-server has ended');
}

/** A TCP port in front of a socket file. */
async function portOf(place: string): Promise<number> {
  const front = createServer((outside) => {
    const inside = connect(place);
    outside.pipe(inside).pipe(outside);
    for (const socket of [outside, inside]) socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  fronts.push(front);
  return (front.address() as AddressInfo).port;
}

test('signaling-redis.mts lets two agents find each other through a real broker', async () => {
  const socketFolder = mkdtempSync(join(tmpdir(), 'redis-'));
  try {
    const place = join(socketFolder, 's');
    await startRedis(place);
    const agents = start(BROKER, [`redis://127.0.0.1:${await portOf(place)}`]);
    await agents.line(/rate: \{ currency: 'EUR', rate: 1.1 \}/);
    await agents.line(/nobody: AGENT_UNREACHABLE/);
    expect(await agents.ended).toBe(0);
  } finally {
    rmSync(socketFolder, { recursive: true, force: true });
  }
}, 60_000);

test('chat.mts connects two terminals, until one ends its input', async () => {
  const alice = start('chat.mts', ['alice']);
  const url = (await alice.line(/^waiting at/)).split(' ').pop()!;
  const bob = start('chat.mts', ['bob', url]);
  await Promise.all([alice.line(/^connected to .*bob/), bob.line(/^connected to .*alice/)]);
  alice.child.stdin.write('hi bob\n');
  await bob.line(/^alice: hi bob$/);
  bob.child.stdin.write('hi alice\n');
  await alice.line(/^bob: hi alice$/);
  bob.child.stdin.end();
  await Promise.all([alice.line(/is over/), bob.line(/is over/)]);
  expect(await Promise.all([alice.ended, bob.ended])).toEqual([0, 0]);
}, 60_000);

test.each(['chromium', 'firefox'] as const)(
  'browser/agent.mts talks with the agent in its page, in %s',
  async (name) => {
    const agent = start(join('browser', 'agent.mts'));
    const address = (await agent.line(/^open/)).split(' ').pop()!;
    const browser = await startBrowser(name, '<script>driver = { visit: ({ url }) => void (location = url) }</script>');
    try {
      await browser.call('visit', { url: address });
      await agent.line(/^connected to agent:\/\/example.com\/page/);
      await agent.line(/^the page is called "An agent in the browser"/);
    } finally {
      await browser.stop();
    }
    agent.child.kill('SIGTERM');
    expect(await agent.ended).toBe(0);
  },
  60_000,
);

test.each(['chromium', 'firefox'] as const)(
  'voice/parrot.mts hears the microphone of %s, and is heard',
  async (name) => {
    const parrot = start(join('voice', 'parrot.mts'));
    const address = (await parrot.line(/^open/)).split(' ').pop()!;
    const browser = await startBrowser(name);
    const { tab } = browser;
    try {
      await tab.goto(address);
      await tab.evaluate('document.querySelector("button").click()');
      await parrot.line(/^the call is connected/);
      await parrot.line(/^heard \d\.\d s of speech/);
      // Energy of what the page has decoded: silence has none.
      await tab.waitForFunction(
        `connection.getStats().then((stats) => [...stats.values()].some((one) => one.type === 'inbound-rtp' && one.totalAudioEnergy > 0.001))`,
      );
    } finally {
      await browser.stop();
    }
    parrot.child.kill('SIGTERM');
    expect(await parrot.ended).toBe(0);
  },
  60_000,
);

test.each([
  ['VP8 and Opus in WebM', 'vp8', ['call.webm'], ['opus', 'vp8']],
  ['VP9 in IVF and Opus in Ogg', 'vp9', ['camera.ivf', 'microphone.ogg'], ['opus', 'vp9']],
])(
  'video/recorder.mts records the camera of Chromium as %s, and video/player.mts shows the recording',
  async (_, codec, names, streams) => {
    const files = names.map((name) => join(folder, name));
    const browser = await startBrowser('chromium');
    const { tab } = browser;
    const press = () => tab.evaluate('document.querySelector("button").click()');
    try {
      const recorder = start(join('video', 'recorder.mts'), ['--codec', codec, ...files]);
      await tab.goto((await recorder.line(/^open/)).split(' ').pop()!);
      await press();
      await recorder.line(/^the page is connected/);
      await tab.waitForFunction(stat('framesSent', 40));
      await press();
      await recorder.line(/^recorded \d+\.\d s/);
      const found = files.flatMap(probed);
      expect(found.map((stream) => stream.codec).sort()).toEqual(streams);
      const [sound, picture] = found[0]!.codec === 'opus' ? found : found.reverse();
      // Packets of 20 ms, one behind the other; and two seconds of pictures, of which the first may have come late.
      expect(sound!.end - sound!.begin).toBeCloseTo(sound!.packets * 0.02, 1);
      expect(picture!.packets).toBeGreaterThanOrEqual(30);
      expect(picture!.end - picture!.begin).toBeGreaterThan(1);

      // A recorder that was stopped has not written all of its last frame; what is whole is shown.
      if (files[0]!.endsWith('.ivf')) truncateSync(files[0]!, statSync(files[0]!).size - 5);
      const player = start(join('video', 'player.mts'), files);
      await tab.goto((await player.line(/^open/)).split(' ').pop()!);
      await press();
      // Most of what was recorded, in its pace; the fake microphone beeps.
      await tab.waitForFunction(stat('framesDecoded', 30));
      await tab.waitForFunction(stat('totalAudioEnergy', 0.001));
      await player.line(/^the end/);
    } finally {
      await browser.stop();
    }
  },
  60_000,
);

test('video/recorder.mts fills with lost packets what the network has lost, so that what follows keeps its time', () => {
  // 20 ms each, of CELT in one frame; three are missing, then one comes 4 ms late.
  const script = `
    import { EncodedPacket } from 'mediabunny';
    import { duration, withoutGaps } from './opus.mjs';
    const written = [];
    const add = withoutGaps(async ({ data, timestamp }) => written.push([Math.round(timestamp * 1000), data.byteLength]));
    const data = Uint8Array.of(0xfc, 1, 2);
    for (const ms of [500, 520, 600, 624]) await add(new EncodedPacket(data, 'key', ms / 1000, duration(data)));
    console.log(JSON.stringify(written));`;
  const file = join(folder, 'gaps.mjs');
  writeFileSync(file, script);
  const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', cwd: root });
  expect(stderr).toBe('');
  const lost = [540, 560, 580].map((at) => [at, 1]);
  expect(JSON.parse(stdout)).toEqual([[500, 3], [520, 3], ...lost, [600, 3], [624, 3]]);
});

/** The header of an IVF file (32 bytes), and of its first frame (12). */
function ivf(codec: string, ticks: number, size: number): Buffer {
  const file = Buffer.alloc(44);
  file.write('DKIF');
  file.writeUInt16LE(32, 6);
  file.write(codec, 8);
  file.writeUInt32LE(ticks, 16);
  file.writeUInt32LE(1, 20);
  file.writeUInt32LE(size, 32);
  return file;
}

test.each([
  ['something else', Buffer.from('RIFF'.repeat(20)), /is no IVF file/],
  ['half of a header', ivf('VP80', 90_000, 4).subarray(0, 20), /is no IVF file/],
  ['a codec that is none of ours', ivf('HEVC', 90_000, 4), /is of "HEVC": it has to be one of VP80, VP90, AV01/],
  ['a clock that stands', ivf('VP80', 0, 4), /0 ticks a second/],
])(
  'video/player.mts says what is wrong with a file of IVF that has %s',
  async (_, content, error) => {
    const file = join(folder, 'damaged.ivf');
    writeFileSync(file, content);
    const player = start(join('video', 'player.mts'), [file]);
    const address = (await player.line(/^open/)).split(' ').pop()!;
    const answer = await fetch(`${address}play`, { method: 'POST', body: '' });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(error);
  },
  60_000,
);

/** What FFmpeg finds in a file: each stream, and when its first packet begins and its last one ends, in seconds. */
function probed(file: string) {
  const wanted = ['-show_entries', 'stream=codec_name:packet=stream_index,pts_time,duration_time', '-of', 'json'];
  const { status, stdout, stderr } = spawnSync('ffprobe', ['-v', 'error', ...wanted, file], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { streams, packets } = JSON.parse(stdout) as Probe;
  return streams.map(({ codec_name: codec }, index) => {
    const own = packets.filter((one) => one.stream_index === index);
    const ends = own.map((one) => Number(one.pts_time) + Number(one.duration_time ?? 0));
    return { codec, begin: Number(own[0]?.pts_time), end: Math.max(...ends), packets: own.length };
  });
}

interface Probe {
  streams: { codec_name: string }[];
  packets: { stream_index: number; pts_time: string; duration_time?: string }[];
}

/** Whether a page's connection has come so far. */
function stat(name: string, least: number): string {
  return `globalThis.connection?.getStats().then((stats) => [...stats.values()].some((one) => one.${name} >= ${least}))`;
}
