// What is done to the world. Each entry says what it is, what theory needs and what is to be reached, in seconds of stall, whose path is
// relayed (`'sender'`, `'both'`) and by whom (coturn, or the package's own server: `own`), and what is done: `before` the agents start, or `act`,
// while they transfer. Where there is nothing but `before`, the agents have to connect in such a world and move 10 MB.
import { iceServers, kill, startServer, startTurn } from './servers.mjs';
import { inside, ip } from '../world/namespaces.mjs';
import { blockUdp, masquerade, route, silence } from './world.mjs';

const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** The interface of the host is away. */
async function outage(seconds) {
  ip('-n', 'host', 'link', 'set', 'lan', 'down');
  await sleep(seconds);
  ip('-n', 'host', 'link', 'set', 'lan', 'up');
  route('r1');
}

/** The interface of the other side is away. */
async function otherAway(seconds) {
  ip('-n', 'other', 'link', 'set', 'wan', 'down');
  await sleep(seconds);
  ip('-n', 'other', 'link', 'set', 'wan', 'up');
}

/** Packets above `mtu` vanish between r1 and the internet, and nobody says so. */
function narrow(mtu) {
  silence('r1');
  ip('-n', 'r1', 'link', 'set', 'wan', 'mtu', String(mtu));
}

/** The host's own network takes no packets above `mtu`, and nobody says so. */
function small(mtu) {
  silence('r1');
  ip('-n', 'host', 'link', 'set', 'to-r1', 'mtu', String(mtu));
  ip('-n', 'host', 'link', 'set', 'lan', 'mtu', String(mtu));
  ip('-n', 'r1', 'link', 'set', 'lan', 'mtu', String(mtu));
}

/** Mappings are forgotten, and the next ones have other ports. */
function rebind() {
  masquerade('r1', 'meta l4proto udp masquerade to :50000-60000');
  ip('-n', 'r1', 'link', 'set', 'wan', 'down');
  ip('-n', 'r1', 'link', 'set', 'wan', 'up');
  inside('r1', 'ip', 'route', 'flush', 'cache');
}

async function restartTurn(world) {
  await kill(world.turn);
  world.turn = await startTurn();
}

/** Another server with other credentials is handed out, and a second later the one of before is switched off. */
async function rotate(world) {
  const other = await startTurn('bob');
  world.offer(iceServers('bob'));
  await sleep(1);
  await kill(world.turn);
  world.turn = other;
}

/** The package's own server, signaling and relay, is killed and started at the same port. */
async function restartOwn(world) {
  const { port, relay } = world.server;
  await kill(world.server.child);
  world.server = await startServer({ port, relay });
}

export const DISTURBANCES = {
  nothing: { what: 'nothing', theory: 0, goal: 0, act: () => undefined },
  'outage-2': { what: 'interface away for 2 s', theory: 2, goal: 4, act: () => outage(2) },
  'outage-10': { what: 'interface away for 10 s', theory: 10, goal: 12, act: () => outage(10) },
  'outage-40': { what: 'interface away for 40 s', theory: 40, goal: 42, act: () => outage(40) },
  'outage-120': { what: 'interface away for 120 s', theory: 120, goal: 122, act: () => outage(120) },
  'other-40': { what: 'interface of the other side away for 40 s', theory: 40, goal: 42, act: () => otherAway(40) },
  'other-120': {
    what: 'interface of the other side away for 120 s',
    theory: 120,
    goal: 122,
    act: () => otherAway(120),
  },
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
  'mobile-tcp': {
    what: 'wifi to mobile, UDP blocked',
    theory: 0.1,
    goal: 2,
    tcp: true,
    before: () => ['r1', 'r3'].forEach(blockUdp),
    act() {
      ip('-n', 'host', 'link', 'set', 'lan', 'down');
      ip('-n', 'host', 'addr', 'add', '10.2.0.2/24', 'dev', 'air');
      ip('-n', 'host', 'link', 'set', 'air', 'up');
      route('r3');
    },
  },
  rebinding: { what: 'NAT rebinding', theory: 0.1, goal: 2, act: rebind },
  'relayed-rebinding': { what: 'NAT rebinding, relayed path', theory: 0.1, goal: 2, relayed: 'sender', act: rebind },
  'relayed-rebinding-both': {
    what: 'NAT rebinding, both sides relayed',
    theory: 0.1,
    goal: 2,
    relayed: 'both',
    act: rebind,
  },
  route: { what: 'default route change', theory: 0.1, goal: 2, act: () => route('r2') },
  'mtu-1280': { what: 'MTU 1500 to 1280, no ICMP', theory: 1, goal: 5, act: () => narrow(1280) },
  'mtu-576': { what: 'MTU 1500 to 576, no ICMP', theory: 1, goal: 5, act: () => narrow(576) },
  relay: { what: 'TURN server killed and started', theory: 0.5, goal: 5, relayed: 'sender', act: restartTurn },
  'relay-both': {
    what: 'TURN server killed and started, both sides relayed',
    theory: 0.5,
    goal: 5,
    relayed: 'both',
    act: restartTurn,
  },
  rotated: {
    what: 'TURN server and credentials rotated, both sides relayed',
    theory: 0.1,
    goal: 5,
    relayed: 'both',
    act: rotate,
  },
  'own-relay': {
    what: 'our own server killed and started, both sides relayed',
    theory: 0.5,
    goal: 5,
    relayed: 'both',
    own: true,
    act: restartOwn,
  },
  'small-1200': { what: 'connecting from a network with an MTU of 1200, no ICMP', before: () => small(1200) },
  'small-576': { what: 'connecting from a network with an MTU of 576, no ICMP', before: () => small(576) },
};
