// A small internet that can be disturbed, in network namespaces of this process (see `run.mjs`):
//
//   host ── lan ──┬── r1 (NAT) ──┐
//                 └── r2 (NAT) ──┼── wan: 203.0.113.10 (signaling, TURN) ── other (203.0.113.20)
//        ── air ───── r3 (NAT) ──┘
//
// The host's ways are slowed down to the rate of the experiment.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

// Run by npm there is another program of the name `nft` in the path: a tracer of files.
process.env.PATH = process.env.PATH.split(':')
  .filter((folder) => !folder.includes('node_modules'))
  .join(':');

const run = (file, ...args) => execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
export const ip = (...args) => run('ip', ...args);
const inside = (name, ...command) => ip('netns', 'exec', name, ...command);

export const SERVER = '203.0.113.10';
export const OTHER = '203.0.113.20';
const ROUTERS = { r1: ['lan', '10.1.0.1', 1], r2: ['lan', '10.1.0.254', 2], r3: ['air', '10.2.0.1', 3] };

/** Packets are what is on the wire: none is cut by the receiving interface, or put together. */
const plain = (name, device) => ip(...(name ? ['-n', name] : []), 'link', 'set', device, 'gso_max_segs', '1');

/** Makes it all. `rate` as `tc` writes it. */
export function build(rate) {
  run('mount', '-t', 'tmpfs', 'tmpfs', '/run');
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', 'wan', 'type', 'bridge');
  ip('link', 'set', 'wan', 'up');
  ip('addr', 'add', `${SERVER}/24`, 'dev', 'wan');
  for (const name of ['host', 'other', ...Object.keys(ROUTERS)]) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  plug('other', 'wan', `${OTHER}/24`);
  ip('-n', 'host', 'link', 'add', 'lan', 'type', 'bridge');
  ip('-n', 'host', 'link', 'add', 'air', 'type', 'bridge');
  for (const [name, [side, address, last]] of Object.entries(ROUTERS)) {
    plug(name, 'wan', `203.0.113.${last}/24`);
    ip('-n', name, 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', `to-${name}`, 'netns', 'host');
    ip('-n', 'host', 'link', 'set', `to-${name}`, 'master', side, 'up');
    ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'lan');
    ip('-n', name, 'link', 'set', 'lan', 'up');
    for (const device of ['lan', 'wan']) {
      plain(name, device);
      inside(name, 'tc', 'qdisc', 'add', 'dev', device, 'root', 'tbf', 'rate', rate, 'burst', '64k', 'latency', '30ms');
    }
    inside(name, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    masquerade(name, 'masquerade');
    plain('host', `to-${name}`);
  }
  for (const device of ['lan', 'air']) plain('host', device);
  plain('', 'wan');
  ip('-n', 'host', 'link', 'set', 'lan', 'up');
  ip('-n', 'host', 'addr', 'add', '10.1.0.2/24', 'dev', 'lan');
  route('r1');
}

/** A device `wan` in a namespace, at the bridge. */
function plug(name, bridge, address) {
  ip('link', 'add', `${name}-wan`, 'type', 'veth', 'peer', 'name', 'wan', 'netns', name);
  ip('link', 'set', `${name}-wan`, 'master', bridge, 'up');
  ip('-n', name, 'addr', 'add', address, 'dev', 'wan');
  ip('-n', name, 'link', 'set', 'wan', 'up');
  plain(name, 'wan');
  plain('', `${name}-wan`);
}

function masquerade(name, how) {
  const rules = `table ip nat {}
    flush table ip nat
    table ip nat { chain post { type nat hook postrouting priority 100; oifname "wan" ${how}; }; }`;
  execFileSync('ip', ['netns', 'exec', name, 'nft', '-f', '-'], { input: rules, stdio: ['pipe', 'ignore', 'inherit'] });
}

/** The router that the host leaves its network by. */
export function route(name) {
  const [side, address] = ROUTERS[name];
  ip('-n', 'host', 'route', 'replace', 'default', 'via', address, 'dev', side);
}

const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** The interface of the host is away. */
async function outage(seconds) {
  ip('-n', 'host', 'link', 'set', 'lan', 'down');
  await sleep(seconds);
  ip('-n', 'host', 'link', 'set', 'lan', 'up');
  route('r1');
}

/** Packets above `mtu` vanish between r1 and the internet, and nobody says so. */
function narrow(mtu) {
  const rules = 'table ip quiet { chain out { type filter hook output priority 0; meta l4proto icmp drop; }; }';
  execFileSync('ip', ['netns', 'exec', 'r1', 'nft', '-f', '-'], { input: rules, stdio: ['pipe', 'ignore', 'inherit'] });
  ip('-n', 'r1', 'link', 'set', 'wan', 'mtu', String(mtu));
}

/** What is done to the world; each with what theory needs in seconds, and whether the path is relayed. */
export const DISTURBANCES = {
  nothing: { what: 'nothing', theory: 0, goal: 0, act: () => undefined },
  'outage-2': { what: 'interface away for 2 s', theory: 2, goal: 4, act: () => outage(2) },
  'outage-10': { what: 'interface away for 10 s', theory: 10, goal: 12, act: () => outage(10) },
  'outage-40': { what: 'interface away for 40 s', theory: 40, goal: 42, act: () => outage(40) },
  'outage-120': { what: 'interface away for 120 s', theory: 120, goal: 122, act: () => outage(120) },
  address: {
    what: 'new address',
    theory: 0.1,
    goal: 2,
    act() {
      ip('-n', 'host', 'addr', 'del', '10.1.0.2/24', 'dev', 'lan');
      ip('-n', 'host', 'addr', 'add', '10.1.0.3/24', 'dev', 'lan');
      route('r1');
    },
  },
  mobile: {
    what: 'wifi to mobile',
    theory: 0.1,
    goal: 2,
    act() {
      ip('-n', 'host', 'link', 'set', 'lan', 'down');
      ip('-n', 'host', 'addr', 'add', '10.2.0.2/24', 'dev', 'air');
      ip('-n', 'host', 'link', 'set', 'air', 'up');
      route('r3');
    },
  },
  rebinding: { what: 'NAT rebinding', theory: 0.1, goal: 2, act: rebind },
  'relayed-rebinding': { what: 'NAT rebinding, relayed path', theory: 0.1, goal: 2, relayed: true, act: rebind },
  route: { what: 'default route change', theory: 0.1, goal: 2, act: () => route('r2') },
  'mtu-1280': { what: 'MTU 1500 to 1280, no ICMP', theory: 1, goal: 5, act: () => narrow(1280) },
  'mtu-576': { what: 'MTU 1500 to 576, no ICMP', theory: 1, goal: 5, act: () => narrow(576) },
  relay: {
    what: 'TURN server killed and started',
    theory: 0.5,
    goal: 5,
    relayed: true,
    async act(world) {
      world.turn.kill('SIGKILL');
      await once(world.turn, 'exit');
      world.turn = await startTurn();
    },
  },
};

/** Mappings are forgotten, and the next ones have other ports. */
function rebind() {
  masquerade('r1', 'meta l4proto udp masquerade to :50000-60000');
  ip('-n', 'r1', 'link', 'set', 'wan', 'down');
  ip('-n', 'r1', 'link', 'set', 'wan', 'up');
}

/** coturn, which has an allocation for whoever asks. */
export async function startTurn() {
  const child = spawn(
    'turnserver',
    [
      ...[
        '-n',
        '--no-cli',
        '--no-stdout-log',
        '--log-file',
        '/dev/null',
        '--lt-cred-mech',
        '--realm',
        'world',
        '--user',
        'alice:wonderland',
      ],
      ...['--listening-ip', SERVER, '--relay-ip', SERVER, '--no-tls', '--no-dtls', '--pidfile', '/run/turn.pid'],
      ...['--userdb', '/run/turndb'],
    ],
    { stdio: 'ignore' },
  );
  while (!(await listens(SERVER, 3478)));
  return child;
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
