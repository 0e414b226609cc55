// "Connection Establishment" of the specification, statement by statement.
/* eslint-disable @typescript-eslint/no-misused-promises, @typescript-eslint/no-floating-promises -- as published */
import { once } from 'node:events';

import type { RTCIceCandidateInit, RTCPeerConnection } from 'ossa-webrtc';

import type { Signaling, SignalingMessage } from './signaling';

/** "2. ICE Candidate Exchange". */
export function exchangeCandidates(
  peerConnection: RTCPeerConnection,
  signaling: Signaling,
  agentId: string,
  remoteAgentId: string,
): void {
  signaling.isOver = () => peerConnection.signalingState === 'closed';

  peerConnection.onicecandidate = (event) => {
    if (event.candidate) {
      signaling.send({
        type: 'ice-candidate',
        from: agentId,
        to: remoteAgentId,
        candidate: event.candidate,
      });
    }
  };

  // Receive ICE candidates from remote agent
  signaling.on('ice-candidate', async (data: { candidate: RTCIceCandidateInit }) => {
    await peerConnection.addIceCandidate(data.candidate);
  });
}

/** "1. Signaling Phase", Agent A. Resolves when the answer is set. */
export async function call(peerConnection: RTCPeerConnection, signaling: Signaling): Promise<void> {
  const answered = once(signaling, 'answer') as Promise<[SignalingMessage]>;

  const offer = await peerConnection.createOffer();
  await peerConnection.setLocalDescription(offer);

  // Send offer to Agent B via signaling server
  signaling.send({
    type: 'offer',
    from: 'agent://example.com/agent-a',
    to: 'agent://example.com/agent-b',
    sdp: offer.sdp,
  });

  const [{ sdp }] = await answered;
  await peerConnection.setRemoteDescription({ type: 'answer', sdp });
}

/** "1. Signaling Phase", Agent B: answers every offer. */
export function answerCalls(peerConnection: RTCPeerConnection, signaling: Signaling): void {
  signaling.on('offer', async ({ sdp }: SignalingMessage) => {
    const offer = { type: 'offer', sdp } as const;
    // Agent B receives offer and creates answer
    peerConnection.setRemoteDescription(offer);
    const answer = await peerConnection.createAnswer();
    await peerConnection.setLocalDescription(answer);

    // Send answer back to Agent A
    signaling.send({
      type: 'answer',
      from: 'agent://example.com/agent-b',
      to: 'agent://example.com/agent-a',
      sdp: answer.sdp,
    });
  });
}
