// Two agents, one of them behind two routers of which one goes away; to be run in namespaces of its own:
// `unshare --map-root-user --net --mount node route-child.mjs SITUATION`. What the one behind the routers sees is printed.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { createPeer, createSignalingServer } from 'ossa-webrtc';

// Run by npm there is another program of the name `nft` in the path: a tracer of files.
process.env.PATH = process.env.PATH.split(':')
  .filter((folder) => !folder.includes('node_modules'))
  .join(':');

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });

/** The one behind the routers, told by its input what to do. */
async function inside(signaling) {
  const peer = createPeer({
    agentId: 'agent://inside',
    signaling,
    reconnect: { networkInterval: 100 },
  });
  const link = await peer.connect('agent://outside');
  link.on('refresh', (reason) => console.log(`refreshed because of: ${reason}`));
  console.log('open');
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'end') break;
    try {
      console.log(`answer: ${await link.call('who', undefined, { timeout: 20_000 })}`);
    } catch (error) {
      console.log(`${error.code}: ${error.message}`);
    }
  }
  await peer.close();
}

async function world() {
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', 'wan', 'type', 'bridge');
  ip('link', 'set', 'wan', 'up');
  ip('addr', 'add', '203.0.113.10/24', 'dev', 'wan');
  ip('netns', 'add', 'host');
  ip('-n', 'host', 'link', 'set', 'lo', 'up');
  ip('-n', 'host', 'link', 'add', 'lan', 'type', 'bridge');
  ip('-n', 'host', 'link', 'set', 'lan', 'up');
  ip('-n', 'host', 'addr', 'add', '10.1.0.2/24', 'dev', 'lan');
  for (const [name, last] of [
    ['r1', 1],
    ['r2', 254],
  ]) {
    ip('netns', 'add', name);
    ip('link', 'add', `${name}-wan`, 'type', 'veth', 'peer', 'name', 'wan', 'netns', name);
    ip('link', 'set', `${name}-wan`, 'master', 'wan', 'up');
    ip('-n', name, 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', name, 'netns', 'host');
    ip('-n', 'host', 'link', 'set', name, 'master', 'lan', 'up');
    ip('-n', name, 'addr', 'add', `203.0.113.${last}/24`, 'dev', 'wan');
    ip('-n', name, 'addr', 'add', `10.1.0.${last}/24`, 'dev', 'lan');
    for (const device of ['wan', 'lan']) ip('-n', name, 'link', 'set', device, 'up');
    const inNamespace = (...command) => execFileSync('ip', ['netns', 'exec', name, ...command]);
    inNamespace('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    inNamespace(
      'nft',
      'add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }; add rule ip nat post oifname wan masquerade',
    );
  }
  const route = (action, last, metric = 100) =>
    ip('-n', 'host', 'route', action, 'default', 'via', `10.1.0.${last}`, 'metric', metric);
  route('add', 1);

  const server = await createSignalingServer({ host: '203.0.113.10' });
  const peer = createPeer({
    agentId: 'agent://outside',
    signaling: server.url,
    transport: { bindAddress: '203.0.113.10' },
  });
  peer.handle('who', () => 'outside');
  await peer.ready;

  const script = fileURLToPath(import.meta.url);
  const child = spawn('ip', ['netns', 'exec', 'host', process.execPath, script, server.url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => console.log((await lines.next()).value);
  const call = async () => {
    child.stdin.write('call\n');
    await next();
  };
  await next();
  await call();
  if (process.argv[2] === 'replaced') route('replace', 254);
  if (process.argv[2] === 'preferred') route('add', 254, 5);
  if (process.argv[2] === 'vanished') route('del', 1);
  await next();
  if (process.argv[2] === 'vanished') route('add', 254);
  await call();
  child.stdin.end('end\n');
  await once(child, 'exit');
  await Promise.all([peer.close(), server.close()]);
}

await (process.argv[2]?.startsWith('ws') ? inside(process.argv[2]) : world());
