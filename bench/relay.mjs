// The relay of our signaling server beside coturn, under the same load: a thousand allocations of coturn's own client, whose datagrams
// go by channels to its echo server and back.
// Usage: node bench/relay.mjs [--clients 1000] [--seconds 10] [--load 0|1|2] [--server ours|coturn] [--publish]
// `--publish` writes the table into docs/benchmarks.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { sum } from './measure.mjs';
import { machine, publish, table } from './publish.mjs';

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    load: { type: 'string' },
    server: { type: 'string' },
    publish: { type: 'boolean' },
  },
});
const [clients, seconds] = [Number(values.clients), Number(values.seconds)];
const SECRET = 'only for this benchmark';
const TICKS = 100;
/** Milliseconds between two looks at the server. */
const SAMPLE = 200;
const CLIENTS_PER_PROCESS = 100;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Processor time in seconds and memory in bytes of a process. */
function usage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
  return { cpu: (Number(fields[11]) + Number(fields[12])) / TICKS, memory: Number(rss) * 1024 };
}

async function startOurs() {
  const script = `
    import { createSignalingServer } from 'ossa-webrtc';
    const server = await createSignalingServer({
      auth: { mode: 'tofu' },
      maxConnectionsPerAddress: 20000,
      relay: {
        secret: ${JSON.stringify(SECRET)}, allowPeers: ['127.0.0.1'],
        maxAllocations: 20000, maxAllocationsPerAgent: 20000, maxAllocationsPerAddress: 20000,
        bandwidth: 1e12, bandwidthPerAgent: 1e12, bandwidthPerAddress: 1e12,
      },
    });
    console.log(server.port);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return { child, port: Number(line.toString()) };
}

async function startCoturn(folder) {
  const port = await freePort();
  const args =
    `-n --no-cli --no-tls --no-dtls --allow-loopback-peers --no-stdout-log --realm bench --use-auth-secret --static-auth-secret`
      .split(' ')
      .concat(SECRET, '--listening-port', port, '--listening-ip', '127.0.0.1', '--relay-ip', '127.0.0.1')
      .concat('--userdb', join(folder, 'db'), '--pidfile', join(folder, 'pid'), '--log-file', join(folder, 'log'));
  const child = spawn('turnserver', args.map(String), { stdio: 'ignore' });
  await listening(port);
  return { child, port };
}

/** Resolves when somebody accepts connections there: a question by UDP that comes too early is never answered. */
async function listening(port) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const there = await new Promise((resolve) => {
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    });
    socket.destroy();
    if (there) return;
  }
}

/**
 * One process of coturn's client, with an address of its own: it leaves an allocation behind at each port that it has tried, and the
 * system chooses ports anew, so that many clients of one address meet their own remains (437) and wait.
 */
function client(i, port, peerPort, { interval, length, options = [] }) {
  const count = Math.max(1, Math.round((seconds * 1000) / interval));
  const many = Math.min(CLIENTS_PER_PROCESS, clients - i * CLIENTS_PER_PROCESS);
  const load = ['-c', '-m', many, '-n', count, '-z', interval, '-l', length, '-u', 'bench', '-W', SECRET];
  const way = ['-L', `127.0.1.${i + 1}`, '-e', '127.0.0.1', '-r', peerPort, '-p', port, '127.0.0.1'];
  const process = spawn('turnutils_uclient', [...options, ...load, ...way].map(String));
  const told = { output: '', received: 0 };
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('data', (data) => {
      told.output += data;
      const [last] = [...told.output.matchAll(/msz=\d+, tot_send_msgs=\d+, tot_recv_msgs=(\d+)/g)].slice(-1);
      if (last) told.received = Number(last[1]);
    });
  }
  return { told, ended: once(process, 'close') };
}

/** What a client says at its end. */
function totals({ told: { output } }) {
  const [, sent, received] = /tot_send_msgs=(\d+), tot_recv_msgs=(\d+)(?![^]*tot_send_msgs)/.exec(output) ?? [];
  if (sent === undefined) throw new Error(output.slice(-2000));
  return { sent: Number(sent), received: Number(received) };
}

/** The most that `figure` grows in one second. */
const best = (samples, figure) => {
  const perSecond = 1000 / SAMPLE;
  return Math.max(...samples.slice(perSecond).map((sample, i) => figure(sample) - figure(samples[i])));
};

/** Runs coturn's client against a server. `interval`: milliseconds between two datagrams of a client. */
async function load({ child, port }, peerPort, how) {
  const idle = { ...usage(child.pid), received: 0 };
  const processes = Math.ceil(clients / CLIENTS_PER_PROCESS);
  const running = Array.from({ length: processes }, (_, i) => client(i, port, peerPort, how));
  const samples = [idle];
  const watching = setInterval(() => {
    samples.push({ ...usage(child.pid), received: sum(running.map(({ told }) => told.received)) });
  }, SAMPLE);
  await Promise.all(running.map(({ ended }) => ended));
  clearInterval(watching);
  const ends = running.map(totals);
  const [sent, received] = [sum(ends.map((end) => end.sent)), sum(ends.map((end) => end.received))];
  // Each that came back has passed twice.
  const cpu = (usage(child.pid).cpu - idle.cpu) / (2 * received);
  const memory = (Math.max(...samples.map((sample) => sample.memory)) - idle.memory) / clients;
  return {
    // The total time has the seconds in it in which stragglers are waited for: what counts is the best one.
    rate: best(samples, (sample) => sample.received),
    lost: 1 - received / sent,
    cpu: cpu * 1e6,
    cores: best(samples, (sample) => sample.cpu),
    memory,
  };
}

const folder = mkdtempSync(join(tmpdir(), 'ossa-bench-relay-'));
const peerPort = await freePort();
const peer = spawn('turnutils_peer', ['-p', String(peerPort), '-L', '127.0.0.1'], { stdio: 'ignore' });
const loads = [
  ['50 datagrams of 200 bytes a second each', { interval: 20, length: 200 }],
  ['as many of 1,000 bytes as go', { interval: 1, length: 1000 }],
  ['50 of 200 bytes, clients by TCP', { interval: 20, length: 200, options: ['-t'] }],
];
const rows = [];
try {
  for (const [what, how] of loads.filter((_, i) => values.load === undefined || i === Number(values.load))) {
    for (const [name, start] of [
      ['ours', startOurs],
      ['coturn', () => startCoturn(folder)],
    ].filter(([name]) => values.server === undefined || values.server === name)) {
      const server = await start();
      try {
        const { rate, lost, cpu, cores, memory } = await load(server, peerPort, how);
        rows.push([
          what,
          name,
          rate.toFixed(0),
          `${(lost * 100).toFixed(1)} %`,
          `${cpu.toFixed(2)} µs`,
          `${((cpu * 1e3) / how.length).toFixed(1)} s/GB`,
          cores.toFixed(2),
          `${(memory / 1024).toFixed(1)} KiB`,
        ]);
        console.error(rows.at(-1).join('  '));
      } finally {
        server.child.kill('SIGKILL');
        await once(server.child, 'exit');
      }
    }
  }
  const head = [
    'load',
    'server',
    'echoed in the best second',
    'lost',
    'processor per datagram',
    '… per data',
    'cores',
    'memory per allocation',
  ];
  const lines = table(head, rows);
  console.log(lines.join('\n'));
  if (values.publish) publish('relay', [`${clients} allocations, each for ${seconds} s. ${machine()}`, '', ...lines]);
} finally {
  peer.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
