import { DOMException } from '../../platform';
import type { NativeDescription, PeerSnapshot } from '../../native';
import type { RTCSdpType, RTCSignalingState } from '../enums';
import { RTCSessionDescription, updateSdp } from './session-description';

const SLOTS = [
  'currentLocalDescription',
  'pendingLocalDescription',
  'currentRemoteDescription',
  'pendingRemoteDescription',
] as const;
type Slot = (typeof SLOTS)[number];

/**
 * The four description slots of a connection. The core knows the text; which object script sees in which attribute, and
 * when it is the same object, is kept here (webrtc-pc 4.4.1.5).
 */
export class Descriptions {
  currentLocalDescription: RTCSessionDescription | null = null;
  pendingLocalDescription: RTCSessionDescription | null = null;
  currentRemoteDescription: RTCSessionDescription | null = null;
  pendingRemoteDescription: RTCSessionDescription | null = null;

  get local(): RTCSessionDescription | null {
    return this.pendingLocalDescription ?? this.currentLocalDescription;
  }
  get remote(): RTCSessionDescription | null {
    return this.pendingRemoteDescription ?? this.currentRemoteDescription;
  }

  /** A description has been set: its slot gets a new object, and an answer moves the other side's offer along. */
  applied(remote: boolean, type: RTCSdpType, snapshot: PeerSnapshot): void {
    const pendingOfOther = remote ? this.pendingLocalDescription : this.pendingRemoteDescription;
    if (type === 'answer') {
      this[slot(!remote, 'current')] = pendingOfOther;
      this[slot(remote, 'current')] = null;
      this[slot(remote, 'pending')] = null;
      this[slot(!remote, 'pending')] = null;
    } else if (type !== 'rollback') {
      this[slot(remote, 'pending')] = null;
    }
    for (const name of SLOTS) this.#update(name, snapshot[name]);
  }

  /** Candidates have been added to the remote descriptions. */
  remoteCandidates(snapshot: PeerSnapshot): void {
    this.#update('currentRemoteDescription', snapshot.currentRemoteDescription);
    this.#update('pendingRemoteDescription', snapshot.pendingRemoteDescription);
  }

  /** A local candidate belongs to the newest local description. */
  localCandidate(sdp: string): void {
    if (this.local) updateSdp(this.local, sdp);
  }

  #update(name: Slot, description: NativeDescription | null): void {
    const present = this[name];
    if (!description) this[name] = null;
    else if (present?.type === description.type) updateSdp(present, description.sdp);
    else this[name] = new RTCSessionDescription(description);
  }
}

function slot(remote: boolean, kind: 'current' | 'pending'): Slot {
  return `${kind}${remote ? 'Remote' : 'Local'}Description`;
}

/** States in which a description of a type may be set (webrtc-pc 4.3.1, figure 2, without implicit rollback). */
const LEGAL: Record<'local' | 'remote', Record<RTCSdpType, readonly RTCSignalingState[]>> = {
  local: {
    offer: ['stable', 'have-local-offer'],
    answer: ['have-remote-offer', 'have-local-pranswer'],
    pranswer: ['have-remote-offer', 'have-local-pranswer'],
    rollback: ['have-local-offer'],
  },
  remote: {
    offer: ['stable', 'have-remote-offer'],
    answer: ['have-local-offer', 'have-remote-pranswer'],
    pranswer: ['have-local-offer', 'have-remote-pranswer'],
    rollback: ['have-remote-offer'],
  },
};

/** Whether a description of this type can be set in this state. */
export function isLegal(remote: boolean, type: RTCSdpType, state: RTCSignalingState): boolean {
  return LEGAL[remote ? 'remote' : 'local'][type].includes(state);
}

/** The exception for a description that the signaling state does not allow. */
export function wrongState(remote: boolean, type: RTCSdpType, state: RTCSignalingState): DOMException {
  return new DOMException(
    `A ${remote ? 'remote' : 'local'} description of type '${type}' cannot be set in the signaling state '${state}'`,
    'InvalidStateError',
  );
}

/** Whether something is in a description that is being negotiated, or in both of those that are in force. */
export function isDescribed(snapshot: PeerSnapshot, has: (sdp: string) => boolean): boolean {
  const { pendingLocalDescription, pendingRemoteDescription } = snapshot;
  const { currentLocalDescription, currentRemoteDescription } = snapshot;
  const there = (description: { sdp: string } | null) => description !== null && has(description.sdp);
  const pending = [pendingLocalDescription, pendingRemoteDescription].some(there);
  return pending || [currentLocalDescription, currentRemoteDescription].every(there);
}
