// A peer that runs the code of the OSSA specification and nothing else, on another WebRTC stack. It knows neither
// registration nor session ids, sends bare heartbeats, and answers calls with the raw result.
// `node naive-peer.mjs answer|refuse|offer SIGNALING_URL`; what it sees goes to stdout, a line each.
import { randomUUID } from 'node:crypto';

import wrtc from '@roamhq/wrtc';
import WebSocket from 'ws';

const { RTCPeerConnection } = wrtc;
const [mode, url] = process.argv.slice(2);
const agentId = 'agent://example.com/naive';
const remoteAgentId = 'agent://example.com/ours';
const report = (event) => console.log(JSON.stringify(event));

const socket = new WebSocket(`${url}/?agentId=${encodeURIComponent(agentId)}`);
const signaling = { send: (message) => socket.send(JSON.stringify(message)) };

const peerConnection = new RTCPeerConnection({ iceServers: [] });
peerConnection.onicecandidate = (event) => {
  if (event.candidate) {
    signaling.send({ type: 'ice-candidate', from: agentId, to: remoteAgentId, candidate: event.candidate });
  }
};
peerConnection.ondatachannel = (event) => setupDataChannelHandlers(event.channel);

const envelope = (type, payload, correlationId) => ({
  type,
  id: randomUUID(),
  timestamp: new Date().toISOString(),
  payload,
  metadata: { agentId, ...(correlationId && { correlationId }) },
});

function setupDataChannelHandlers(channel) {
  const send = (message) => channel.send(JSON.stringify(message));
  channel.onopen = () => {
    report({ open: channel.label });
    send({ type: 'heartbeat', timestamp: new Date().toISOString() });
    send({ type: 'state_update', payload: { cursor: 7 } });
    if (mode === 'offer') {
      send(envelope('message', 'hello from the specification'));
      send(envelope('capability_call', { capability: 'sum', input: [1, 2, 3] }, 'my-correlation'));
      send(envelope('capability_call', { capability: 'letters' }, 'for-letters'));
      send(envelope('capability_call', { capability: 'broken' }, 'for-broken'));
      send(envelope('status', { status: 'degraded', load: 0.9 }));
    }
  };
  channel.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.type === 'capability_call') {
      const { capability, input } = message.payload;
      if (capability === 'reverse') {
        send(envelope('capability_response', [...input].reverse().join(''), message.metadata.correlationId));
      } else if (capability === 'wrapped') {
        // Others put the result into an object, and answer under the id of the request.
        send({ ...envelope('capability_response', { capability, result: 'unwrapped' }), id: message.id });
      } else {
        const error = { code: 'CAPABILITY_NOT_FOUND', message: `no ${capability}` };
        send(envelope('error', error, message.metadata.correlationId));
      }
    } else {
      report({ type: message.type, payload: message.payload, correlationId: message.metadata.correlationId });
    }
  };
  channel.onclose = () => {
    report({ closed: true });
    socket.close();
    peerConnection.close();
    // The stack under test is ours, not this one: it does not always let its process end.
    process.exit(0);
  };
}

socket.on('message', async (data) => {
  const message = JSON.parse(data);
  switch (message.type) {
    case 'offer': {
      if (mode === 'refuse') {
        signaling.send({
          type: 'error',
          to: message.from,
          error: { code: 'UNAUTHORIZED', message: 'Peer not allowed' },
        });
        return;
      }
      await peerConnection.setRemoteDescription({ type: 'offer', sdp: message.sdp });
      const answer = await peerConnection.createAnswer();
      await peerConnection.setLocalDescription(answer);
      signaling.send({ type: 'answer', from: agentId, to: remoteAgentId, sdp: answer.sdp });
      break;
    }
    case 'answer':
      await peerConnection.setRemoteDescription({ type: 'answer', sdp: message.sdp });
      break;
    case 'ice-candidate':
      if (message.candidate) await peerConnection.addIceCandidate(message.candidate);
      break;
    default:
      report({ signaling: message });
  }
});

socket.on('open', async () => {
  report({ ready: true });
  if (mode !== 'offer') return;
  const dataChannel = peerConnection.createDataChannel('ossa-channel', { ordered: true, maxRetransmits: 3 });
  setupDataChannelHandlers(dataChannel);
  const offer = await peerConnection.createOffer();
  await peerConnection.setLocalDescription(offer);
  signaling.send({ type: 'offer', from: agentId, to: remoteAgentId, sdp: offer.sdp });
});
