// The relay of our signaling server beside coturn, under the same load: a thousand allocations of coturn's own client, whose datagrams
// go by channels to its echo server and back. Prints tables for docs/benchmarks.md.
// Usage: node bench/relay.mjs [--clients 1000] [--seconds 10] [--load 0|1|2] [--server ours|coturn]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    load: { type: 'string' },
    server: { type: 'string' },
  },
});
const [clients, seconds] = [Number(values.clients), Number(values.seconds)];
const SECRET = 'only for this benchmark';
const TICKS = 100;

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
  for (;;) {
    const probe = spawn('turnutils_stunclient', ['-p', String(port), '127.0.0.1'], { stdio: 'ignore' });
    if ((await once(probe, 'exit'))[0] === 0) return { child, port };
  }
}

/** Runs coturn's client against a server. `interval`: milliseconds between two datagrams of a client. */
async function load({ child, port }, peerPort, { interval, length, options = [] }) {
  const idle = usage(child.pid);
  const count = Math.max(1, Math.round((seconds * 1000) / interval));
  const args = ['-c', '-m', clients, '-n', count, '-z', interval, '-l', length, '-u', 'bench', '-W', SECRET];
  const uclient = spawn(
    'turnutils_uclient',
    [...options, ...args, '-e', '127.0.0.1', '-r', peerPort, '-p', port, '127.0.0.1'].map(String),
  );
  let output = '';
  for (const stream of [uclient.stdout, uclient.stderr]) stream.on('data', (data) => (output += data));
  let most = idle;
  const watching = setInterval(() => {
    const now = usage(child.pid);
    if (now.memory > most.memory) most = now;
  }, 200);
  const ended = once(uclient, 'exit');
  await ended;
  clearInterval(watching);
  const [, sent, received] = /tot_send_msgs=(\d+), tot_recv_msgs=(\d+)(?![^]*tot_send_msgs)/.exec(output) ?? [];
  // Its total time has the seconds in it that it waits for stragglers: what counts is its best second.
  const counts = [...output.matchAll(/msz=\d+, tot_send_msgs=\d+, tot_recv_msgs=(\d+)/g)].map(([, count]) =>
    Number(count),
  );
  const rate = Math.max(...counts.map((count, i) => count - (counts[i - 1] ?? 0)));
  if (sent === undefined) throw new Error(output.slice(-2000));
  const cpu = usage(child.pid).cpu - idle.cpu;
  return {
    sent: Number(sent),
    received: Number(received),
    rate,
    lost: 1 - Number(received) / Number(sent),
    cpu: (cpu / (Number(sent) + Number(received))) * 1e6,
    memory: (most.memory - idle.memory) / clients,
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
try {
  console.log(`${clients} allocations, each ${seconds} s\n`);
  console.log('| load | server | echoed in the best second | lost | processor per datagram | memory per allocation |');
  console.log('|---|---|---|---|---|---|');
  for (const [what, how] of loads.filter((_, i) => values.load === undefined || i === Number(values.load))) {
    for (const [name, start] of [
      ['ours', startOurs],
      ['coturn', () => startCoturn(folder)],
    ].filter(([name]) => values.server === undefined || values.server === name)) {
      const server = await start();
      try {
        const { rate, lost, cpu, memory } = await load(server, peerPort, how);
        const row = [
          rate.toFixed(0),
          `${(lost * 100).toFixed(1)} %`,
          `${cpu.toFixed(2)} µs`,
          `${(memory / 1024).toFixed(1)} KiB`,
        ];
        console.log(`| ${[what, name, ...row].join(' | ')} |`);
      } finally {
        server.child.kill('SIGKILL');
        await once(server.child, 'exit');
      }
    }
  }
} finally {
  peer.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
