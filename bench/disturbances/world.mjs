// A small internet that can be disturbed, in network namespaces of this process (see `run.mjs`):
//
//   host ── lan ──┬── r1 (NAT) ──┐
//                 └── r2 (NAT) ──┼── wan: 203.0.113.10 (signaling, TURN) ── other (203.0.113.20)
//        ── air ───── r3 (NAT) ──┘
//
// The host's ways are slowed down to the rate of the experiment.
import { apply, begin, create, enable, inside, ip } from '../world/namespaces.mjs';

export const SERVER = '203.0.113.10';
export const OTHER = '203.0.113.20';
const ROUTERS = { r1: ['lan', '10.1.0.1', 1], r2: ['lan', '10.1.0.254', 2], r3: ['air', '10.2.0.1', 3] };

/** Packets are what is on the wire: none is cut by the receiving interface, or put together. */
const plain = (name, device) => ip(...(name ? ['-n', name] : []), 'link', 'set', device, 'gso_max_segs', '1');

/** Makes it all. `rate` as `tc` writes it. */
export function build(rate) {
  begin();
  ip('link', 'add', 'wan', 'type', 'bridge');
  ip('link', 'set', 'wan', 'up');
  ip('addr', 'add', `${SERVER}/24`, 'dev', 'wan');
  for (const name of ['host', 'other', ...Object.keys(ROUTERS)]) create(name);
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
    enable(name, 'ipv4/ip_forward');
    masquerade(name, 'masquerade');
    plain('host', `to-${name}`);
  }
  for (const device of ['lan', 'air']) plain('host', device);
  plain('', 'wan');
  ip('-n', 'host', 'link', 'set', 'lan', 'up');
  ip('-n', 'host', 'addr', 'add', '10.1.0.2/24', 'dev', 'lan');
  // As container managers make them: an address that stays when the network goes.
  ip('-n', 'host', 'link', 'add', 'docker0', 'type', 'bridge');
  ip('-n', 'host', 'link', 'add', 'inner', 'type', 'veth', 'peer', 'name', 'outer');
  ip('-n', 'host', 'link', 'set', 'outer', 'master', 'docker0');
  for (const device of ['inner', 'outer', 'docker0']) ip('-n', 'host', 'link', 'set', device, 'up');
  ip('-n', 'host', 'addr', 'add', '172.17.0.1/16', 'dev', 'docker0');
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

export function masquerade(name, how) {
  apply(
    name,
    `table ip nat {}
    flush table ip nat
    table ip nat { chain post { type nat hook postrouting priority 100; oifname "wan" ${how}; }; }`,
  );
}

/** The router that the host leaves its network by. */
export function route(name) {
  const [side, address] = ROUTERS[name];
  ip('-n', 'host', 'route', 'replace', 'default', 'via', address, 'dev', side);
}

/** Gives a namespace a table of rules. */
const rule = (name, table, chains) => apply(name, `table ip ${table} { ${chains} }`);

const dropping = (hook, what) => `chain ${hook} { type filter hook ${hook} priority 0; meta l4proto ${what} drop; };`;

/** Nobody behind `name` is told that a packet was too large. */
export const silence = (name) => rule(name, 'quiet', dropping('output', 'icmp') + dropping('forward', 'icmp'));

/** Nothing but TCP passes `name`. */
export const blockUdp = (name) => rule(name, 'tcponly', dropping('forward', 'udp'));
