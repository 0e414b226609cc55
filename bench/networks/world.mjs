// Two sites and an internet between them, in network namespaces of this process (see `run.mjs`):
//
//   host-a ── router-a ──┐                                     ┌── router-b ── host-b
//                        ├── wan: meet.example, turn.example ──┤
//
// A site without a NAT has no router; one of a carrier-grade NAT has two. Both sites use the same private addresses, as homes do.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

import { startCoturn as start } from '../world/coturn.mjs';
import { apply, begin, create, enable, ip, run } from '../world/namespaces.mjs';

export const MEET = { name: 'meet.example', ipv4: '203.0.113.10', ipv6: '2001:db8::10' };
export const TURN = { name: 'turn.example', ipv4: '203.0.113.11', ipv6: '2001:db8::11' };
/** A name that no server of names answers for, and an address where nobody is. */
export const NOWHERE = { name: 'nowhere.example', ipv4: '203.0.113.99' };

/** The middle: the internet, with the addresses of the servers. */
export function buildInternet() {
  begin();
  // Names that are known, and for all others a server that never answers.
  replace(
    '/etc/hosts',
    [MEET, TURN].flatMap(({ name, ipv4, ipv6 }) => [`${ipv4} ${name}`, `${ipv6} ${name}`]),
  );
  replace('/etc/resolv.conf', [`nameserver ${NOWHERE.ipv4}`]);
  ip('link', 'add', 'wan', 'type', 'bridge');
  ip('link', 'set', 'wan', 'up');
  for (const last of [1, 10]) {
    ip('addr', 'add', `203.0.113.${last}/24`, 'dev', 'wan');
    ip('addr', 'add', `2001:db8::${last}/64`, 'dev', 'wan', 'nodad');
  }
  // The way on: a server finds its own address of each family by it.
  ip('route', 'add', 'default', 'dev', 'wan');
  ip('-6', 'route', 'add', 'default', 'dev', 'wan');
  // Between the sites with IPv6, which have networks of their own.
  run('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding');
  // Where nobody is, packets vanish: an error would say so at once.
  ip('neigh', 'add', NOWHERE.ipv4, 'lladdr', '02:00:00:00:00:99', 'dev', 'wan', 'nud', 'permanent');
}

function replace(path, lines) {
  const file = `/run/${path.split('/').at(-1)}`;
  writeFileSync(file, `${lines.join('\n')}\n`);
  run('mount', '--bind', file, path);
}

/** A namespace with a device at the bridge of the internet. */
function plug(name, address) {
  create(name);
  ip('link', 'add', `${name}-0`, 'type', 'veth', 'peer', 'name', 'wan', 'netns', name);
  ip('link', 'set', `${name}-0`, 'master', 'wan', 'up');
  leadOut(name, 'wan', address, address.includes(':') ? '2001:db8::1' : '203.0.113.1');
}

/** A namespace behind another one, which forwards for it. */
function below(router, name, address, gateway) {
  create(name);
  ip('-n', router, 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'wan', 'netns', name);
  ip('-n', router, 'addr', 'add', gateway, 'dev', 'lan', ...noDad(gateway));
  ip('-n', router, 'link', 'set', 'lan', 'up');
  enable(router, gateway.includes(':') ? 'ipv6/conf/all/forwarding' : 'ipv4/ip_forward');
  leadOut(name, 'wan', address, gateway.split('/')[0]);
}

const noDad = (address) => (address.includes(':') ? ['nodad'] : []);

function leadOut(name, device, address, gateway) {
  ip('-n', name, 'addr', 'add', address, 'dev', device, ...noDad(address));
  ip('-n', name, 'link', 'set', device, 'up');
  ip('-n', name, 'route', 'add', 'default', 'via', gateway, 'dev', device);
}

/** A site: `side` is `a` or `b`. The name of the namespace in which its agent runs. */
export function buildSite(side, kind) {
  const [host, router] = [`host-${side}`, `router-${side}`];
  const last = side === 'a' ? 21 : 22;
  if (kind === 'none') {
    plug(host, `203.0.113.${last}/24`);
    return host;
  }
  if (kind === 'ipv6') {
    plug(router, `2001:db8::${last}/64`);
    below(router, host, `2001:db8:${last}::2/64`, `2001:db8:${last}::1/64`);
    ip('route', 'add', `2001:db8:${last}::/64`, 'via', `2001:db8::${last}`, 'dev', 'wan');
    apply(router, guard('accept'));
    return host;
  }
  plug(router, `203.0.113.${last}/24`);
  if (kind === 'carrier-grade') {
    below(router, `home-${side}`, '100.64.0.2/24', '100.64.0.1/24');
    apply(router, nat('port-restricted', '100.64.0.2'));
    below(`home-${side}`, host, '192.168.1.2/24', '192.168.1.1/24');
    apply(`home-${side}`, nat('port-restricted', '192.168.1.2'));
  } else {
    below(router, host, '192.168.1.2/24', '192.168.1.1/24');
    apply(router, nat(kind, '192.168.1.2'));
  }
  return host;
}

/** What comes from inside goes out by this rule; what comes from outside is an answer, or was let in, or vanishes without a word. */
const guard = (outwards) => `
  table inet guard {
    chain forward {
      type filter hook forward priority 0; policy drop
      ct state established,related accept
      ct status dnat accept
      iifname "lan" ${outwards}
    }
    chain input { type filter hook input priority 0; iifname "wan" meta l4proto { tcp, udp } drop; }
  }`;

const OUTWARDS = { 'udp-blocked': 'meta l4proto != udp accept', 'tcp-443': 'tcp dport 443 accept' };

/**
 * Linux keeps the port of a connection if it can, and so maps independently of the destination, until it is told to choose by chance. It
 * filters by address and port; to let in more it has to remember what was sent.
 */
function nat(kind, host) {
  const remembered = {
    'full-cone': ['inet_service', 'udp sport', 'udp dport'],
    'address-restricted': ['ipv4_addr . inet_service', 'ip daddr . udp sport', 'ip saddr . udp dport'],
  }[kind];
  const [type, sent, comes] = remembered ?? [];
  const open = remembered
    ? `table ip open {
        set sent { type ${type}; size 65535; flags dynamic, timeout; timeout 120s; }
        chain forward { type filter hook forward priority -10; iifname "lan" meta l4proto udp update @sent { ${sent} }; }
        chain pre { type nat hook prerouting priority -100; iifname "wan" ${comes} @sent dnat to ${host}; }
      }`
    : '';
  const how = kind === 'symmetric' ? 'masquerade fully-random' : 'masquerade';
  return `${open}
    table ip nat { chain post { type nat hook postrouting priority 100; oifname "wan" ${how}; }; }
    ${guard(OUTWARDS[kind] ?? 'accept')}`;
}

/** PEM of a certificate for both servers, and the files that it and its key are in. */
export function makeCertificate() {
  const [cert, key] = ['/run/cert.pem', '/run/key.pem'];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...[
        '-subj',
        '/CN=example',
        '-addext',
        'basicConstraints=critical,CA:FALSE',
        '-addext',
        `subjectAltName=DNS:${MEET.name},DNS:${TURN.name}`,
      ],
      ...['-keyout', key, '-out', cert],
    ],
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
  return { cert, key };
}

/** coturn on a host of its own; `stunOnly` relays for nobody. */
export function startCoturn({ cert, key }, stunOnly) {
  plug('turn', `${TURN.ipv4}/24`);
  leadOut('turn', 'wan', `${TURN.ipv6}/64`, '2001:db8::1');
  const tls = ['--tls-listening-port', '443', '--cert', cert, '--pkey', key, '--no-dtls'];
  const more = [...tls, ...(stunOnly ? ['--stun-only'] : [])];
  return start({ namespace: 'turn', listen: [TURN.ipv4, TURN.ipv6], more });
}
