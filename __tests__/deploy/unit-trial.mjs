// Inside the world of unit-world.sh: does with the service what an administrator does, and writes down what happens.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { request } from 'node:https';

const UNIT = 'ossa-webrtc-signal';
const { createPeer } = createRequire('/opt/ossa-webrtc/')('ossa-webrtc');
const facts = {};

const systemctl = (...args) => {
  const { status, stdout, stderr } = spawnSync('systemctl', args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
};
const property = (name) => systemctl('show', UNIT, '--value', '-p', name).output.trim();
const journal = () => execFileSync('journalctl', ['--no-pager', '-o', 'cat', '-u', UNIT], { encoding: 'utf8' });

/** Settings of the unit beyond those that it comes with. */
function dropIn(text) {
  mkdirSync(`/etc/systemd/system/${UNIT}.service.d`, { recursive: true });
  writeFileSync(`/etc/systemd/system/${UNIT}.service.d/test.conf`, `[Service]\n${text}\n`);
  systemctl('daemon-reload');
}

/** The status of a page; nothing if nobody answers. */
const get = async (url) => (await fetch(url).catch(() => undefined))?.status;

/** Asks until something is so. */
async function until(isSo) {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

// A file of settings, which only root can read.
mkdirSync('/etc/ossa-webrtc');
writeFileSync('/etc/ossa-webrtc/signal.env', 'OSSA_SIGNAL_PORT=8081\nOSSA_SIGNAL_DRAIN=2s\n', { mode: 0o600 });

// It has started when it is ready, without privileges.
facts.started = systemctl('start', UNIT).status;
facts.ready = await get('http://127.0.0.1:8081/ready');
facts.status = property('StatusText');
const pid = property('MainPID');
facts.process = Object.fromEntries(
  [...readFileSync(`/proc/${pid}/status`, 'utf8').matchAll(/^(Uid|CapBnd|NoNewPrivs|Seccomp):\s+(\w+)/gm)].map(
    ([, name, value]) => [name, value],
  ),
);
facts.listening = journal().includes('{"type":"listening","url":"ws://127.0.0.1:8081"');
facts.reloaded = systemctl('reload', UNIT).status;

// Killed, it comes back; so do its agents.
const agent = createPeer({ agentId: 'agent://example.com/a', signaling: 'ws://127.0.0.1:8081' });
await agent.ready;
execFileSync('kill', ['-KILL', pid]);
await until(async () => property('MainPID') !== pid && (await get('http://127.0.0.1:8081/ready')) === 200);
facts.restarts = property('NRestarts');

// Stopped, it sends its agents away, even where the manager would wait for less.
dropIn('TimeoutStopSec=1');
const others = ['b', 'c', 'd'].map((name) =>
  createPeer({ agentId: `agent://example.com/${name}`, signaling: 'ws://127.0.0.1:8081' }),
);
await Promise.all(others.map(({ ready }) => ready));
facts.stopped = systemctl('stop', UNIT).status;
facts.result = property('Result');
facts.drained = journal().includes('{"type":"stopped"');
await Promise.all([agent, ...others].map((peer) => peer.close()));

// A setting that is wrong is a start that fails, and is not tried again.
writeFileSync('/etc/ossa-webrtc/signal.env', 'OSSA_SIGNAL_PORT=http\n');
facts.wrong = {
  started: systemctl('start', UNIT).status,
  state: property('ActiveState'),
  said: journal().includes('OSSA_SIGNAL_PORT takes a whole number, not \\"http\\"'),
};

// A certificate and a key of root's, and a port that others may not have.
dropIn(
  [
    ...['LoadCredential=cert.pem:/etc/tls/cert.pem', 'LoadCredential=key.pem:/etc/tls/key.pem'],
    'Environment=OSSA_SIGNAL_TLS_CERT=%d/cert.pem OSSA_SIGNAL_TLS_KEY=%d/key.pem',
    ...['PrivateUsers=no', 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE', 'AmbientCapabilities=CAP_NET_BIND_SERVICE'],
  ].join('\n'),
);
writeFileSync('/etc/ossa-webrtc/signal.env', 'OSSA_SIGNAL_PORT=443\n');
facts.tls = {
  started: systemctl('start', UNIT).status,
  ready: await new Promise((resolve) => {
    const asked = request('https://127.0.0.1/ready', { rejectUnauthorized: false }, ({ statusCode }) => {
      resolve(statusCode);
      asked.destroy();
    });
    asked.on('error', resolve).end();
  }),
};
systemctl('stop', UNIT);

facts.journal = journal();
writeFileSync('/run/out/facts.json', JSON.stringify(facts));
