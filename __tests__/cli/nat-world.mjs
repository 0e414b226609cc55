// A small internet: a host with a private address, a NAT before it, and outside a TURN server (coturn, at two addresses) and a
// signaling server. Runs a command on the host, with its input and output. To be run in namespaces of its own:
// `unshare --map-root-user --net --mount node nat-world.mjs NAT FOLDER COMMAND ...`; NAT is `cone`, `symmetric`,
// `no-udp` or `none`; FOLDER holds cert.pem and key.pem of 203.0.113.10. SIGNALING in the command is the server's URL.
import { execFileSync, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const [nat, folder, ...command] = process.argv.slice(2);
const cli = fileURLToPath(new URL('../../dist/cli/bin.js', import.meta.url));

// Run by npm there is another program of the name `nft` in the path: a tracer of files.
process.env.PATH = process.env.PATH.split(':')
  .filter((folder) => !folder.includes('node_modules'))
  .join(':');

const run = (file, ...args) => execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
const ip = (...args) => run('ip', ...args);

// Names of namespaces are files in /run/netns: of this world only.
run('mount', '-t', 'tmpfs', 'tmpfs', '/run');
for (const name of ['nat', 'host']) ip('netns', 'add', name);
ip('link', 'set', 'lo', 'up');
ip('link', 'add', 'wan', 'type', 'veth', 'peer', 'name', 'wan0', 'netns', 'nat');
ip('-n', 'nat', 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'host');
for (const address of ['203.0.113.10/24', '203.0.113.11/24']) ip('addr', 'add', address, 'dev', 'wan');
ip('link', 'set', 'wan', 'up');
ip('-n', 'nat', 'addr', 'add', '203.0.113.1/24', 'dev', 'wan0');
ip('-n', 'nat', 'addr', 'add', '10.1.0.1/24', 'dev', 'lan');
ip('-n', 'host', 'addr', 'add', '10.1.0.2/24', 'dev', 'eth0');
for (const link of ['lo', 'wan0', 'lan']) ip('-n', 'nat', 'link', 'set', link, 'up');
for (const link of ['lo', 'eth0']) ip('-n', 'host', 'link', 'set', link, 'up');
ip('-n', 'host', 'route', 'add', 'default', 'via', '10.1.0.1');
run('ip', 'netns', 'exec', 'nat', 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');

// Linux keeps the port of a connection if it can, and so behaves as a cone; chosen at random, each destination gets another.
const MASQUERADE = { cone: 'masquerade', symmetric: 'masquerade fully-random', 'no-udp': 'masquerade' };
if (nat in MASQUERADE) {
  const rules = `table ip nat {
    chain post {
      type nat hook postrouting priority 100
      oifname "wan0" ${MASQUERADE[nat]}
    }
  }
  table ip filter {
    chain forward {
      type filter hook forward priority 0
      ${nat === 'no-udp' ? 'meta l4proto udp drop' : 'accept'}
    }
  }
  `;
  execFileSync('ip', ['netns', 'exec', 'nat', 'nft', '-f', '-'], {
    input: rules,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
} else {
  // Without a NAT the address of the host is one of the internet.
  ip('-n', 'nat', 'addr', 'add', '198.51.100.1/24', 'dev', 'lan');
  ip('-n', 'host', 'addr', 'flush', 'dev', 'eth0');
  ip('-n', 'host', 'addr', 'add', '198.51.100.2/24', 'dev', 'eth0');
  ip('-n', 'host', 'route', 'add', 'default', 'via', '198.51.100.1');
  ip('route', 'add', '198.51.100.0/24', 'via', '203.0.113.1');
}

const children = [];
const start = (file, args, stdio) => {
  const child = spawn(file, args, { stdio });
  children.push(child);
  return child;
};

const file = (name) => join(folder, name);
start(
  'turnserver',
  [
    ...['-n', '--no-cli', '--no-stdout-log', '--lt-cred-mech', '--realm', 'world', '--user', 'alice:wonderland'],
    ...['--listening-ip', '203.0.113.10', '--listening-ip', '203.0.113.11', '--relay-ip', '203.0.113.10'],
    ...['--cert', file('cert.pem'), '--pkey', file('key.pem'), '--userdb', file('turndb')],
    ...['--pidfile', file('pid'), '--log-file', file('log')],
  ],
  ['ignore', 'ignore', 'ignore'],
);
for (const port of [3478, 5349]) {
  for (const host of ['203.0.113.10', '203.0.113.11']) {
    while (!(await listens(host, port)));
  }
}

function listens(host, port) {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.on('error', () => setImmediate(resolve, false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

const signal = start(
  process.execPath,
  [cli, 'signal', '--host', '203.0.113.10', '--port', '0', '--json'],
  ['ignore', 'pipe', 'ignore'],
);
// Before it listens it warns of agents that need no proof.
const { url } = await new Promise((resolve) => {
  createInterface(signal.stdout).on('line', (line) => {
    const object = JSON.parse(line);
    if (object.type === 'listening') resolve(object);
  });
});

const args = command.map((word) => word.replace('SIGNALING', url));
const program = spawn('ip', ['netns', 'exec', 'host', ...args], { stdio: 'inherit' });
program.on('close', (code) => {
  for (const child of children) child.kill('SIGKILL');
  process.exit(code ?? 1);
});
