// A small internet: a host with a private address, a NAT before it, and outside a TURN server (coturn, at two addresses) and a
// signaling server. Runs a command on the host, with its input and output. To be run in namespaces of its own:
// `unshare --map-root-user --net --mount node nat-world.mjs NAT FOLDER COMMAND ...`; NAT is `cone`, `symmetric`,
// `no-udp` or `none`; FOLDER holds cert.pem and key.pem of 203.0.113.10. SIGNALING in the command is the server's URL.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { startCoturn } from '../../bench/world/coturn.mjs';
import { apply, begin, create, enable, ip } from '../../bench/world/namespaces.mjs';

const [nat, folder, ...command] = process.argv.slice(2);
const cli = fileURLToPath(new URL('../../dist/cli/bin.js', import.meta.url));

begin();
for (const name of ['nat', 'host']) create(name);
ip('link', 'add', 'wan', 'type', 'veth', 'peer', 'name', 'wan0', 'netns', 'nat');
ip('-n', 'nat', 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'host');
for (const address of ['203.0.113.10/24', '203.0.113.11/24']) ip('addr', 'add', address, 'dev', 'wan');
ip('link', 'set', 'wan', 'up');
ip('-n', 'nat', 'addr', 'add', '203.0.113.1/24', 'dev', 'wan0');
ip('-n', 'nat', 'addr', 'add', '10.1.0.1/24', 'dev', 'lan');
ip('-n', 'host', 'addr', 'add', '10.1.0.2/24', 'dev', 'eth0');
for (const link of ['wan0', 'lan']) ip('-n', 'nat', 'link', 'set', link, 'up');
ip('-n', 'host', 'link', 'set', 'eth0', 'up');
ip('-n', 'host', 'route', 'add', 'default', 'via', '10.1.0.1');
enable('nat', 'ipv4/ip_forward');

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
  apply('nat', rules);
} else {
  // Without a NAT the address of the host is one of the internet.
  ip('-n', 'nat', 'addr', 'add', '198.51.100.1/24', 'dev', 'lan');
  ip('-n', 'host', 'addr', 'flush', 'dev', 'eth0');
  ip('-n', 'host', 'addr', 'add', '198.51.100.2/24', 'dev', 'eth0');
  ip('-n', 'host', 'route', 'add', 'default', 'via', '198.51.100.1');
  ip('route', 'add', '198.51.100.0/24', 'via', '203.0.113.1');
}

const file = (name) => join(folder, name);
const turn = await startCoturn({
  listen: ['203.0.113.10', '203.0.113.11'],
  relay: ['203.0.113.10'],
  ports: [3478, 5349],
  folder,
  more: ['--cert', file('cert.pem'), '--pkey', file('key.pem')],
});

const signal = spawn(process.execPath, [cli, 'signal', '--host', '203.0.113.10', '--port', '0', '--json'], {
  stdio: ['ignore', 'pipe', 'ignore'],
});
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
  for (const child of [turn, signal]) child.kill('SIGKILL');
  process.exit(code ?? 1);
});
