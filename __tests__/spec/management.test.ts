import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

import type { RTCConfiguration, RTCDataChannel, RTCPeerConnection } from 'ossa-webrtc';

import { newPeer, once, openPair } from '../w3c/helper';
import { call, exchangeCandidates } from './establishment';
import { Signaling } from './signaling';

/** The handler of "Connection State Monitoring", with what it logs as its result. */
function monitor(
  peerConnection: RTCPeerConnection,
  actions: { reconnect?: () => void; cleanup?: () => void },
): string[] {
  const log: string[] = [];
  peerConnection.onconnectionstatechange = () => {
    switch (peerConnection.connectionState) {
      case 'connected':
        log.push('Peer-to-peer connection established');
        break;
      case 'disconnected':
        log.push('Connection lost, attempting reconnect...');
        actions.reconnect?.();
        break;
      case 'failed':
        log.push('Connection failed');
        actions.cleanup?.();
        break;
      case 'closed':
        log.push('Connection closed');
        break;
    }
  };
  return log;
}

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Remote {
  pc: RTCPeerConnection;
  channel: RTCDataChannel;
  child: ChildProcess;
}

/** Agent B in a process of its own, and our connection to it. */
async function connectToProcess(
  watch: (pc: RTCPeerConnection) => void,
  configuration: RTCConfiguration,
): Promise<Remote> {
  const child = fork(join(__dirname, '../fixtures/spec-agent-b.js'));
  children.push(child);
  const signaling = new Signaling();
  signaling.deliver = (text) => void (child.connected && child.send(text));
  const pc = newPeer(configuration);
  child.on('message', (text) => signaling.received(text as string));
  watch(pc);
  exchangeCandidates(pc, signaling, 'agent://example.com/agent-a', 'agent://example.com/agent-b');
  const channel = pc.createDataChannel('ossa-channel');
  const open = once(channel, 'open');
  await call(pc, signaling);
  await open;
  return { pc, channel, child };
}

/** Loss of a path is noticed within seconds instead of half a minute. */
const IMPATIENT: RTCConfiguration = {
  transport: { ice: { maxRto: 200, disconnectedTimeout: 1500, failedTimeout: 3000 } },
};

describe("the specification's connection state monitoring", () => {
  test('sees the connection established, and nothing when we close it ourselves', async () => {
    let log: string[] = [];
    const { pc } = await connectToProcess((pc) => (log = monitor(pc, {})), {});
    await settled();
    expect(log).toEqual(['Peer-to-peer connection established']);
    pc.close();
    await settled();
    // webrtc-pc 4.4.3: close() fires no event at the side that calls it.
    expect(log).toEqual(['Peer-to-peer connection established']);
    expect(pc.connectionState).toBe('closed');
  });

  test('sees the connection lost and failed when the peer vanishes', async () => {
    let log: string[] = [];
    let cleanup!: () => void;
    const failed = new Promise<void>((resolve) => (cleanup = resolve));
    const { child } = await connectToProcess((pc) => (log = monitor(pc, { cleanup })), IMPATIENT);
    child.kill('SIGKILL');
    await failed;
    expect(log).toEqual([
      'Peer-to-peer connection established',
      'Connection lost, attempting reconnect...',
      'Connection failed',
    ]);
  });
});

test("the specification's reconnection strategy has a working connection after attempts that fail", async () => {
  const delays: number[] = [];
  const sleep = (ms: number) => {
    delays.push(ms);
    return Promise.resolve();
  };
  let attempts = 0;
  let established: Remote | undefined;
  const establishConnection = async () => {
    if (++attempts <= 2) throw new Error('the peer is not back yet');
    established = await connectToProcess(() => {}, {});
  };

  const reconnect = async () => {
    const maxAttempts = 5;
    let attempt = 0;

    while (attempt < maxAttempts) {
      try {
        await establishConnection();
        return;
      } catch {
        attempt++;
        const delay = Math.min(1000 * Math.pow(2, attempt), 30000);
        await sleep(delay);
      }
    }
  };

  let finished!: (outcome: Promise<void>) => void;
  const reconnected = new Promise<void>((resolve) => (finished = resolve));
  const watch = (pc: RTCPeerConnection) => void monitor(pc, { reconnect: () => finished(reconnect()) });
  const { child } = await connectToProcess(watch, IMPATIENT);
  child.kill('SIGKILL');
  await reconnected;
  expect(delays).toEqual([2000, 4000]);
  const { channel } = established!;
  const reply = once<MessageEvent>(channel, 'message');
  channel.send('back');
  expect((await reply).data).toBe('B has received: back');
});

test('the other side learns of a close by its channel', async () => {
  const { a, far } = await openPair();
  const closed = once(far, 'close');
  a.close();
  await closed;
  expect(far.readyState).toBe('closed');
});

/** Whatever was due in this turn of the event loop, and in the next. */
async function settled(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}
