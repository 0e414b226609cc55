import { fork } from 'node:child_process';
import { join } from 'node:path';

import { RTCPeerConnection, type RTCDataChannelEvent } from 'ossa-webrtc';

import { errorOf, newPeer, once } from '../w3c/helper';
import { answerCalls, call, exchangeCandidates } from './establishment';
import { Signaling, signalingPair } from './signaling';

const A = 'agent://example.com/agent-a';
const B = 'agent://example.com/agent-b';

describe("the specification's connection establishment", () => {
  test('opens a channel at both agents', async () => {
    const [near, far] = signalingPair();
    const agentA = newPeer();
    const agentB = newPeer();
    exchangeCandidates(agentA, near, A, B);
    exchangeCandidates(agentB, far, B, A);
    answerCalls(agentB, far);

    const announced = once<RTCDataChannelEvent>(agentB, 'datachannel');
    const dataChannel = agentA.createDataChannel('ossa-channel', { ordered: true, maxRetransmits: 3 });
    const open = once(dataChannel, 'open');
    await call(agentA, near);

    await open;
    const { channel } = await announced;
    expect({ label: channel.label, ordered: channel.ordered, maxRetransmits: channel.maxRetransmits }).toEqual({
      label: 'ossa-channel',
      ordered: true,
      maxRetransmits: 3,
    });
  });

  test('opens a channel between two processes', async () => {
    const child = fork(join(__dirname, '../fixtures/spec-agent-b.js'));
    const signaling = new Signaling();
    signaling.deliver = (text) => void (child.connected && child.send(text));
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));

    const agentA = newPeer();
    child.on('message', (text) => signaling.received(text as string));
    exchangeCandidates(agentA, signaling, A, B);
    const dataChannel = agentA.createDataChannel('ossa-channel', { ordered: true, maxRetransmits: 3 });
    dataChannel.onopen = () => dataChannel.send('from A');
    const reply = once<MessageEvent>(dataChannel, 'message');
    await call(agentA, signaling);

    expect((await reply).data).toBe('B has received: from A');
    agentA.close();
    // B closes its end when A has closed: nothing keeps its process.
    expect(await exited).toBe(0);
  });

  test('has nothing to connect before the first channel is created, and connects with the offer after that', async () => {
    const [near, far] = signalingPair();
    const agentA = newPeer();
    const agentB = newPeer();
    exchangeCandidates(agentA, near, A, B);
    exchangeCandidates(agentB, far, B, A);
    answerCalls(agentB, far);
    // The order of the specification's page: the offer comes before createDataChannel.
    await call(agentA, near);
    expect(agentA.localDescription!.sdp).not.toContain('m=application');
    expect(agentA.connectionState).toBe('new');

    const dataChannel = agentA.createDataChannel('ossa-channel');
    const open = once(dataChannel, 'open');
    await once(agentA, 'negotiationneeded');
    await call(agentA, near);
    await open;
    expect(dataChannel.readyState).toBe('open');
  });
});

describe("the specification's configurations", () => {
  const iceServers = [
    { urls: 'stun:stun.l.google.com:19302' },
    { urls: 'stun:stun1.l.google.com:19302' },
    { urls: 'turn:turn.example.com:3478', username: 'agent-credentials', credential: 'secret-token' },
  ];

  test('are taken and returned', () => {
    const peer = newPeer({
      iceServers,
      iceCandidatePoolSize: 10,
      iceTransportPolicy: 'all',
      bundlePolicy: 'max-bundle',
      rtcpMuxPolicy: 'require',
    });
    expect(peer.getConfiguration()).toEqual({
      iceServers: iceServers.map((server) => ({ ...server, urls: [server.urls] })),
      iceCandidatePoolSize: 10,
      iceTransportPolicy: 'all',
      bundlePolicy: 'max-bundle',
      rtcpMuxPolicy: 'require',
      alwaysNegotiateDataChannels: false,
      certificates: [],
    });
  });

  test('are refused when a TURN server lacks its credential', () => {
    const incomplete = () => new RTCPeerConnection({ iceServers: [{ urls: 'turn:turn.example.com:3478' }] });
    expect(errorOf(incomplete)).toMatchObject({ name: 'InvalidAccessError' });
  });
});
