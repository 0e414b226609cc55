// Whoever can reach an agent can send it anything: nothing of that may end the process or the link.
import { createPeer, MemorySignaling, RTCPeerConnection } from 'ossa-webrtc';
import type { AgentError, AgentMessage, AgentPeer, Link, RTCDataChannel, SignalingMessage } from 'ossa-webrtc';

let signaling: MemorySignaling;
let agent: AgentPeer;
beforeEach(async () => {
  signaling = new MemorySignaling();
  agent = createPeer({ agentId: 'agent://us', signaling });
  agent.handle('echo', (input) => input);
  await agent.ready;
});
afterEach(() => agent.close());

/** A message channel to the agent from a program that may say what it wants. */
async function stranger(): Promise<{ channel: RTCDataChannel; link: Link; close: () => void }> {
  const connection = new RTCPeerConnection();
  const channel = connection.createDataChannel('ossa-channel');
  const send = (message: Partial<SignalingMessage>) =>
    signaling.send({ type: 'offer', from: 'agent://them', to: 'agent://us', sessionId: 's', ...message });
  const unsubscribe = signaling.subscribe('agent://them', ({ type, sdp, candidate }) => {
    if (type === 'answer') void connection.setRemoteDescription({ type, sdp: sdp as string });
    else if (type === 'ice-candidate') void connection.addIceCandidate(candidate ?? undefined);
  });
  connection.onicecandidate = ({ candidate }) => {
    if (candidate?.candidate) send({ type: 'ice-candidate', candidate: candidate.toJSON() });
  };
  await connection.setLocalDescription();
  send({ sdp: connection.localDescription!.sdp });
  const link = new Promise<Link>((resolve) => agent.once('link', resolve));
  await new Promise((resolve) => (channel.onopen = resolve));
  const close = () => {
    void unsubscribe();
    connection.close();
  };
  return { channel, link: await link, close };
}

const envelope = (type: string, payload: string) =>
  `{"type":"${type}","id":"1","timestamp":"","payload":${payload},"metadata":{"agentId":"agent://them"}}`;

test.each([
  ['an array in the place of an envelope', '["message","1","",1,{"agentId":"agent://them"}]', 'INVALID_MESSAGE'],
  [
    'an array that would be a call',
    '["capability_call","1","",{"capability":"echo"},{"agentId":"agent://them"}]',
    'INVALID_MESSAGE',
  ],
  ['metadata in an array', '{"type":"message","id":"1","payload":1,"metadata":["agent://them"]}', 'INVALID_MESSAGE'],
  ['a call in an array', envelope('capability_call', '["echo"]'), 'INVALID_MESSAGE'],
  ['two payloads', envelope('capability_call', '{"capability":"echo"},"payload":null'), 'INVALID_MESSAGE'],
  ['an error without anything', envelope('error', 'null'), 'INTERNAL_ERROR'],
  ['an error that is text', envelope('error', '"text"'), 'INTERNAL_ERROR'],
  ['an error of objects', envelope('error', '{"code":{"toString":1},"message":{"toString":1}}'), 'INTERNAL_ERROR'],
  ['nothing', '', 'INVALID_MESSAGE'],
  ['a control character', '\u0001', 'INVALID_MESSAGE'],
])('%s is a problem of the link and no more', async (_, text, code) => {
  const { channel, link, close } = await stranger();
  const problem = new Promise<AgentError>((resolve) => link.once('problem', resolve));
  channel.send(text);
  expect((await problem).code).toBe(code);
  const answer = new Promise<string>((resolve) => {
    channel.onmessage = ({ data }) => {
      const message = JSON.parse(data as string) as AgentMessage;
      if (message.type === 'capability_response') resolve(message.payload as string);
    };
  });
  channel.send(envelope('capability_call', '{"capability":"echo","input":"still here"}').replace('"1"', '"2"'));
  expect(await answer).toBe('still here');
  close();
});

const unreadable = { toString: 1 };
test.each([
  { type: unreadable, from: 'agent://them' },
  { type: 'offer', from: unreadable, sdp: 'v=0' },
  { type: 'offer', from: 'agent://them', sessionId: unreadable, sdp: 'v=0' },
  { type: 'offer', from: 'agent://them', sessionId: 's', sdp: unreadable },
  { type: 'offer', from: 'agent://them', sdp: { type: 'offer', sdp: unreadable } },
  { type: 'answer', from: 'agent://them', sdp: 7 },
  { type: 'ice-candidate', from: 'agent://them', candidate: 'candidate:1' },
  { type: 'ice-candidate', from: 'agent://them', candidate: { candidate: unreadable } },
  { type: 'ice-candidate', from: 'agent://them', candidate: { candidate: 'candidate:1', sdpMid: unreadable } },
  { type: 'error', from: 'agent://them', error: { code: unreadable, message: unreadable } },
  { type: 'error', from: 'agent://them', error: null },
  { type: 'error', sessionId: 's', error: { code: unreadable, message: unreadable } },
])('the signaling message %j does no harm while a link is made', async (message) => {
  // Somebody who is called and answers with that.
  const unsubscribe = signaling.subscribe('agent://them', ({ type, sessionId }) => {
    if (type === 'offer') signaling.send({ sessionId, ...message, to: 'agent://us' } as never);
  });
  const calling = agent.connect('agent://them').catch(() => undefined);
  await new Promise(setImmediate);
  signaling.send({ ...message, to: 'agent://us' } as never);
  await new Promise(setImmediate);
  await using other = createPeer({ agentId: 'agent://other', signaling });
  await other.ready;
  expect(await (await other.connect('agent://us')).call('echo', 1)).toBe(1);
  await unsubscribe();
  await agent.close();
  await calling;
});
