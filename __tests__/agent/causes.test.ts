// A connection that does not come about says why, as data and in one sentence; and it says so as soon as it is known. Time limits are far
// above that of the test: what ends early ends because it is known.
import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';

import { connectionCauses, MemorySignaling, RTCPeerConnection } from 'ossa-webrtc';
import type { AgentError, AgentPeer, PeerOptions, SignalingMessage } from 'ossa-webrtc';

import { LossyPath } from './lossy-path';
import { agents, next, rejection, until } from './two-agents';

const FOREVER = { timeout: 600_000, waitForPeer: 600_000 };
const LOOPBACK = { bindAddress: '127.0.0.1', includeLoopback: true };
const { agent } = agents();
let path: LossyPath;
beforeEach(() => {
  path = new LossyPath();
});
afterEach(() => path.close());

async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** What `a` is told when it connects to `b`. */
async function refusal(a: AgentPeer, options: object = FOREVER): Promise<AgentError> {
  return (await rejection(a.connect('agent://b', options))) as AgentError;
}

const kinds = ({ causes }: AgentError) => causes.map(({ kind }) => kind);

/** Signaling that changes what goes from one agent to another; `undefined` is not delivered. */
class Meddling extends MemorySignaling {
  constructor(readonly change: (message: SignalingMessage) => SignalingMessage | undefined) {
    super();
  }

  override send(message: SignalingMessage): void {
    const changed = this.change(message);
    if (changed) super.send(changed);
  }
}

async function meddled(change: ConstructorParameters<typeof Meddling>[0], options: Partial<PeerOptions>) {
  const signaling = new Meddling(change);
  const [a, b] = [agent('a', { signaling, ...options }), agent('b', { signaling, ...options })];
  await b.ready;
  return { a, b };
}

test('only relayed candidates and no TURN server: both sides are told at once', async () => {
  const b = agent('b');
  await b.ready;
  const error = await refusal(agent('a', { iceTransportPolicy: 'relay' }));
  expect(kinds(error)).toEqual(['no-relay']);
  expect(error).toMatchObject({ code: 'AGENT_UNREACHABLE', details: { causes: error.causes } });
  expect(error.message).toContain("iceTransportPolicy is 'relay', and there is no TURN server");
  expect(error.message).toMatch(/: give one in iceServers, or let the signaling server offer one$/);
  await until(() => b.links.size === 0);
});

test('an agent that calls one with no address to be reached at hears so from it', async () => {
  await agent('b', { iceTransportPolicy: 'relay' }).ready;
  const error = await refusal(agent('a'));
  expect(error).toMatchObject({
    code: 'AGENT_UNREACHABLE',
    message: expect.stringContaining('agent://b has no address') as string,
  });
});

test('servers that all refuse are the end as soon as the last one has', async () => {
  await agent('b').ready;
  const urls = [`turn:127.0.0.1:${await closedPort()}?transport=tcp`, 'turn:nowhere.invalid'];
  const iceServers = [{ urls, username: 'somebody', credential: 'something' }];
  const error = await refusal(agent('a', { iceServers, iceTransportPolicy: 'relay', transport: LOOPBACK }));
  expect(kinds(error).sort()).toEqual(['server-name-not-found', 'server-unreachable']);
  expect(error.causes.map(({ url }) => url).sort()).toEqual([...urls].sort());
  expect(error.retryable).toBe(true);
});

test('a machine without an address that others reach says so', async () => {
  await agent('b').ready;
  const error = await refusal(agent('a', { transport: { includeInterfaces: ['none'] } }));
  expect(kinds(error)).toEqual(['local']);
  expect(error.message).toMatch(/no address of this machine is left by .*includeInterfaces/);
});

test('an agent that never answers is told from one that cannot be reached', async () => {
  const { a } = await meddled(() => undefined, {});
  const error = await refusal(a, { timeout: 500 });
  expect(kinds(error)).toEqual(['unanswered']);
  expect(error.message).toContain('agent://b has not answered');
});

test('checks that nobody answers: how many, and between which candidates', async () => {
  path.cut = true;
  const transport = { ...LOOPBACK, tcp: 'off' as const };
  const signaling = path.over(new MemorySignaling());
  await agent('b', { signaling, transport }).ready;
  const error = await refusal(agent('a', { signaling, transport }), { timeout: 1500 });
  expect(kinds(error)).toEqual(['checks-unanswered']);
  const [cause] = error.causes;
  const one = { host: 1, srflx: 0, relay: 0, inner: 1 };
  expect(cause).toMatchObject({ local: one, remote: one, checksReceived: 0 });
  expect(cause!.checksSent).toBeGreaterThan(0);
  expect(error.message).toMatch(
    /\d+ checks were sent and nothing came back \(this side has 1 host candidates, the other side 1 host\); both know addresses of their own networks only.*: use a TURN/,
  );
});

test('an agent that tells no candidate', async () => {
  const change = (message: SignalingMessage) => (message.type === 'ice-candidate' ? undefined : message);
  const { a } = await meddled(change, { transport: LOOPBACK });
  expect(kinds(await refusal(a, { timeout: 500 }))).toEqual(['no-remote-candidates']);
});

const OTHER = 'a=fingerprint:sha-256 ' + Array<string>(32).fill('AB').join(':');

/** b tells of another certificate than it has. */
function otherCertificate(message: SignalingMessage): SignalingMessage {
  if (message.from !== 'agent://b' || typeof message.sdp !== 'string') return message;
  return { ...message, sdp: message.sdp.replace(/a=fingerprint:\S+ \S+/, OTHER) };
}

test('an agent whose certificate is another than it has told of', async () => {
  const { a } = await meddled(otherCertificate, { transport: LOOPBACK });
  const error = await refusal(a);
  expect(kinds(error)).toEqual(['dtls-failed']);
  expect(error.message).toContain('none of the signaled fingerprints');
});

test('a certificate that is refused before there is a path: DTLS travels in the checks, of which none is answered', async () => {
  const BINDING_SUCCESS = 0x0101;
  path.passes = (datagram) => datagram.readUInt16BE(0) !== BINDING_SUCCESS;
  const signaling = path.over(new Meddling(otherCertificate));
  const options = { signaling, transport: { ...LOOPBACK, tcp: 'off' as const } };
  await agent('b', options).ready;
  const error = await refusal(agent('a', options));
  expect(kinds(error)).toEqual(['dtls-failed']);
  expect(error.message).toContain('none of the signaled fingerprints');
});

test('a link that cannot be made anew tells of each attempt as a problem, and of the last one in its error', async () => {
  const signaling = path.over(new MemorySignaling());
  const options = {
    signaling,
    transport: { ...LOOPBACK, ice: { maxRto: 100, disconnectedTimeout: 300 } },
    reconnect: { attempts: 2, grace: 1, delay: 1, attemptTimeout: 500, networkInterval: 0 },
  };
  const [a, b] = [agent('a', options), agent('b', options)];
  await b.ready;
  const link = await a.connect('agent://b');
  const problems: AgentError[] = [];
  link.on('problem', (error) => problems.push(error));
  const ended = next<AgentError>(link, 'close');
  path.cut = true;
  const error = await ended;
  expect(problems.map(kinds)).toEqual([['checks-unanswered']]);
  expect(kinds(error)).toEqual(['checks-unanswered']);
  expect(error.message).toContain('2 new ones did not work');
});

describe('a bare RTCPeerConnection', () => {
  const open: RTCPeerConnection[] = [];
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });

  test('has causes that its program can ask for when it fails, and none after close()', async () => {
    const [a, b] = [new RTCPeerConnection({ iceTransportPolicy: 'relay' }), new RTCPeerConnection()];
    open.push(a, b);
    expect(connectionCauses(a)).toEqual([]);
    const failed = new Promise<void>((resolve) => {
      a.onconnectionstatechange = () => a.connectionState === 'failed' && resolve();
    });
    a.createDataChannel('x');
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription!);
    await b.setLocalDescription();
    await a.setRemoteDescription(b.localDescription!);
    await failed;
    expect(connectionCauses(a)).toMatchObject([{ kind: 'no-relay', code: 0 }]);
    a.close();
    expect(connectionCauses(a)).toEqual([]);
  });

  test('is what connectionCauses() takes, and nothing else', () => {
    for (const wrong of [undefined, null, {}, new EventTarget()]) {
      expect(() => connectionCauses(wrong as never)).toThrow(TypeError);
    }
  });
});
