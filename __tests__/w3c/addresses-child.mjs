// Machines with unusual addresses; to be run in a network namespace of its own: `unshare --map-root-user --net node addresses-child.mjs SITUATION`.
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import { RTCPeerConnection } from 'ossa-webrtc';

const ip = (...args) => execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** An interface with these addresses, and another one at the other end of its cable. */
function device(name, ...addresses) {
  ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}-end`);
  for (const end of [name, `${name}-end`]) ip('link', 'set', end, 'up', 'addrgenmode', 'none');
  for (const address of addresses) ip('addr', 'add', address, 'dev', name, ...(address.includes(':') ? ['nodad'] : []));
}

/** Addresses of the candidates, and what was told instead. */
async function gather(transport) {
  const connection = new RTCPeerConnection({ transport });
  const addresses = [];
  const errors = [];
  connection.onicecandidateerror = ({ errorText }) => errors.push(errorText);
  connection.createDataChannel('x');
  const done = new Promise((resolve) => {
    connection.onicecandidate = ({ candidate }) => {
      if (!candidate) resolve();
      else if (candidate.address) addresses.push(candidate.address);
    };
  });
  await connection.setLocalDescription();
  await done;
  connection.close();
  return { addresses, errors };
}

/** Two connections; what the second one tells of its addresses is changed on the way. Whether a channel opens. */
async function connects(change, transport) {
  const [a, b] = [new RTCPeerConnection({ transport }), new RTCPeerConnection({ transport })];
  const channel = a.createDataChannel('x');
  const opened = once(channel, 'open');
  const failed = new Promise((resolve) => {
    a.onconnectionstatechange = () => a.connectionState === 'failed' && resolve([]);
  });
  b.onicecandidate = ({ candidate }) => {
    if (!candidate?.candidate) return;
    void a.addIceCandidate({ ...candidate.toJSON(), candidate: change(candidate) });
  };
  await a.setLocalDescription();
  // Without a candidate of the first one it is the first one that has to find the way.
  await b.setRemoteDescription({ type: 'offer', sdp: a.localDescription.sdp.replace(/a=candidate.*\r\n/g, '') });
  await b.createAnswer().then((answer) => a.setRemoteDescription(answer).then(() => b.setLocalDescription(answer)));
  const [event] = await Promise.race([opened, failed]);
  a.close();
  b.close();
  return event !== undefined;
}

/** Answers questions for `name` on the group of one family, as a browser that hides its address behind the name does. */
async function responder(name, address, type, group, device) {
  const socket = createSocket({ type, reuseAddr: true });
  socket.bind(5353, type === 'udp6' ? '::' : '0.0.0.0');
  await once(socket, 'listening');
  if (type === 'udp6') socket.addMembership(group, `::%${device}`);
  else socket.addMembership(group, device);
  const labels = Buffer.from(
    name
      .split('.')
      .map((label) => String.fromCharCode(label.length) + label)
      .join('') + '\0',
    'latin1',
  );
  const v6 = address.includes(':');
  const bytes = v6 ? ipv6(address) : Buffer.from(address.split('.').map(Number));
  const record = Buffer.from([0, v6 ? 28 : 1, 0x80, 1, 0, 0, 0, 120, 0, bytes.length]);
  const answer = Buffer.concat([Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0]), labels, record, bytes]);
  socket.on('message', (message) => {
    const isQuestion = (message[2] & 0x80) === 0;
    if (isQuestion && message.includes(labels))
      socket.send(answer, 5353, type === 'udp6' ? `${group}%${device}` : group);
  });
  if (type === 'udp4') socket.setMulticastInterface(device);
  socket.setMulticastLoopback(true);
  return socket;
}

function ipv6(text) {
  const [head, tail] = text.split('::').map((part) => (part ? part.split(':') : []));
  const words = [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(words.map((word) => word.padStart(4, '0')).join(''), 'hex');
}

const named = (name) => (candidate) => candidate.candidate.replace(` ${candidate.address} `, ` ${name} `);

const situations = {
  async bridges() {
    for (let i = 1; i <= 20; i++) device(`br-${i}`, `172.${i + 16}.0.1/16`);
    device('wg0', '10.99.0.1/24');
    ip('route', 'add', 'default', 'via', '10.99.0.2');
    const { addresses, errors } = await gather();
    console.log(`${addresses.length} addresses, first ${addresses[0]}`);
    console.log(errors.join('\n'));
    const dead = Array.from(
      { length: 20 },
      (_, i) => `candidate:${i} 1 udp ${2130706431 - i} 10.99.0.${i + 100} 9 typ host`,
    );
    const last = (candidate) =>
      candidate.address === '10.99.0.1' ? candidate.candidate.replace(/udp \d+/, 'udp 1000') : dead.pop();
    console.log(`connected: ${await connects(last)}`);
  },
  async 'link-local'() {
    device('v0', '169.254.10.1/16', 'fe80::10:1/64');
    const told = async (transport) => console.log((await gather(transport)).addresses.join(' '));
    await told({ includeLinkLocal: true });
    await told({});
    await told({ bindAddress: '169.254.10.1' });
    await told({ bindAddress: 'fe80::10:1' });
    for (const bindAddress of ['169.254.10.1', 'fe80::10:1']) {
      console.log(`connected: ${await connects(({ candidate }) => candidate, { bindAddress })}`);
    }
  },
  async mdns() {
    device('v0', 'fd77::1/64', 'fe80::10:1/64', '10.77.0.1/24');
    const situations = [
      ['only-six.local', 'fd77::1', 'udp6', 'ff02::fb', 'v0'],
      ['six-of-four.local', 'fd77::1', 'udp4', '224.0.0.251', '10.77.0.1'],
      ['four-of-six.local', '10.77.0.1', 'udp6', 'ff02::fb', 'v0'],
      ['only-four.local', '10.77.0.1', 'udp4', '224.0.0.251', '10.77.0.1'],
    ];
    for (const [name, address, ...group] of situations) {
      const socket = await responder(name, address, ...group);
      console.log(`${name}: ${await connects(named(name), { bindAddress: address })}`);
      socket.close();
    }
    ip('addr', 'del', '10.77.0.1/24', 'dev', 'v0');
    // Addresses are asked for every two seconds at most.
    await delay(2_100);
    const socket = await responder('no-four.local', 'fd77::1', 'udp6', 'ff02::fb', 'v0');
    console.log(`no-four.local: ${await connects(named('no-four.local'), { bindAddress: 'fd77::1' })}`);
    socket.close();
  },
  async moving() {
    device('v0', '10.77.0.1/24');
    device('v1', '10.88.0.1/24');
    const moving = new RTCPeerConnection({ transport: { includeInterfaces: ['v0'] } });
    const fixed = new RTCPeerConnection({ transport: { bindAddress: '10.88.0.1' } });
    moving.onicecandidate = ({ candidate }) => candidate && fixed.addIceCandidate(candidate);
    fixed.onicecandidate = ({ candidate }) => candidate && moving.addIceCandidate(candidate);
    const channel = moving.createDataChannel('x');
    const [incoming] = [once(fixed, 'datachannel'), await moving.setLocalDescription()];
    await fixed.setRemoteDescription(moving.localDescription);
    await fixed.setLocalDescription();
    await moving.setRemoteDescription(fixed.localDescription);
    const [{ channel: other }] = await incoming;
    const transport = moving.sctp.transport.iceTransport;
    const send = async (text) => {
      console.log(`from ${transport.getSelectedCandidatePair().local.address}`);
      const arrived = once(other, 'message');
      channel.send(text);
      console.log(`at the other end: ${(await arrived)[0].data}`);
    };
    if (channel.readyState !== 'open') await once(channel, 'open');
    await send('before');
    // From here on nobody signals.
    moving.onicecandidate = fixed.onicecandidate = null;
    const moved = once(transport, 'selectedcandidatepairchange');
    ip('addr', 'del', '10.77.0.1/24', 'dev', 'v0');
    ip('addr', 'add', '10.77.0.2/24', 'dev', 'v0');
    await moved;
    await send('after');
    moving.close();
    fixed.close();
  },
};

ip('link', 'set', 'lo', 'up');
await situations[process.argv[2]]();
