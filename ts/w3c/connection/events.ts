import { clearTimeout, setTimeout } from '../../platform';
import type {
  LiftedText,
  NativeChannelInfo,
  NativeEvent,
  NativePeer,
  NativeRtcError,
  PeerListener,
} from '../../native';
import { RTCDataChannelEvent } from '../channel';
import {
  RTCIceCandidate,
  RTCPeerConnectionIceErrorEvent,
  RTCPeerConnectionIceEvent,
  type Descriptions,
  type RTCLocalIceCandidateInit,
} from '../descriptions';
import type { RTCDtlsTransportState, RTCIceGathererState, RTCIceTransportState, RTCSctpTransportState } from '../enums';
import { fire, RTCErrorEvent, toRTCError } from '../events';
import type { PeerMedia } from '../media';
import type { Transports } from '../transports';
import type { Channels } from './channels';

/** What the events need of their connection. */
export interface EventHost {
  /** The object that script knows, where events are fired. */
  readonly target: EventTarget;
  readonly native: NativePeer;
  readonly descriptions: Descriptions;
  readonly transports: Transports | null;
  readonly channels: Channels;
  readonly media: PeerMedia;
  readonly isClosed: boolean;
  /** Computes the connection's states anew from its transports', then fires. */
  updateStates(firedAtTransport: () => void): void;
}

/** `completed` says that there is nothing left to try, which is no news for anybody; the standard sets no time for it. */
const COMPLETED_AFTER_MS = 1000;

/**
 * Turns what happens in the core into state changes and events. Every call is a task of its own: an attribute changes in
 * the same task that fires its event, and promise jobs run before the next call.
 *
 * The states of the connection itself are computed from those of its transports, as the standard does, so that they all
 * change together; the core's own summary (`iceConnectionState`, `connectionState`) is not needed.
 */
export class PeerEvents implements PeerListener {
  readonly #peer: EventHost;
  /** What the core has said last; `completed` is shown a little later. */
  #iceState: RTCIceTransportState = 'new';
  #completing?: NodeJS.Timeout;

  constructor(peer: EventHost) {
    this.#peer = peer;
  }

  onMessage(channel: number, data: string | ArrayBuffer): void {
    this.#peer.channels.byHandle.get(channel)?.message(data);
  }

  onLifted(channel: number, text: LiftedText): void {
    this.#peer.channels.byHandle.get(channel)?.lifted(text);
  }

  onReleased(channel: number, bytes: number): void {
    const { channels } = this.#peer;
    channels.byHandle.get(channel)?.released(bytes);
    channels.retryWaiting();
  }

  onEvent(event: NativeEvent): void {
    if (this.#peer.isClosed) return;
    switch (event.type) {
      case 'iceCandidate':
        return this.#candidate(event, event.sdp);
      case 'endOfCandidates':
        return this.#candidate({ ...event, candidate: '' }, event.sdp);
      case 'iceCandidateError':
        return void this.#peer.target.dispatchEvent(new RTCPeerConnectionIceErrorEvent('icecandidateerror', event));
      case 'iceGatheringState':
        return this.#gathering(event.state);
      case 'iceTransportState':
        return this.#iceTransport(event.state);
      case 'selectedPair':
        return this.#selectedPair(event);
      case 'pathLost':
        return fire(this.#peer.target, 'pathlost');
      case 'dtlsState':
        return this.#dtls(event.state, event.error);
      case 'sctpState':
        return this.#sctp(event);
      case 'channelAnnounced':
        return this.#announced(event.channel, event.info);
      case 'channelOpen':
        return this.#peer.channels.byHandle.get(event.channel)?.opened(event.id);
      case 'channelClosing':
        return this.#peer.channels.byHandle.get(event.channel)?.closing();
      case 'channelClosed':
        return this.#peer.channels.byHandle.get(event.channel)?.closed(event.error);
      case 'mute':
      case 'unmute':
      case 'mediaFault':
      case 'keyFrameRequested':
      case 'targetBitrate':
      case 'streamStarted':
      case 'bye':
        return this.#peer.media.onEvent(event);
      case 'iceConnectionState':
      case 'connectionState':
        return;
    }
  }

  #candidate(init: RTCLocalIceCandidateInit, sdp: string | null): void {
    const { target, descriptions, transports } = this.#peer;
    if (sdp !== null) descriptions.localCandidate(sdp);
    const candidate = new RTCIceCandidate(init);
    // Not by `push`, which makes room for 17: most have two, and that for good.
    if (init.candidate !== '' && transports)
      transports.ice.localCandidates = [...transports.ice.localCandidates, candidate];
    target.dispatchEvent(new RTCPeerConnectionIceEvent('icecandidate', { candidate, url: init.url }));
  }

  #gathering(state: RTCIceGathererState): void {
    const { transports, target } = this.#peer;
    if (!transports || transports.ice.gatheringState === state) return;
    transports.ice.gatheringState = state;
    this.#peer.updateStates(() => transports.fire('ice', 'gatheringstatechange'));
    if (state === 'complete' && !this.#peer.isClosed) {
      target.dispatchEvent(new RTCPeerConnectionIceEvent('icecandidate', { candidate: null }));
    }
  }

  #iceTransport(state: RTCIceTransportState): void {
    const { transports } = this.#peer;
    this.#iceState = state;
    if (!transports) return;
    if (state !== 'completed') return this.#setIceState(transports, state);
    // Code that waits for `connected` alone is common, and must not miss it because checks ended sooner.
    this.#setIceState(transports, 'connected');
    const complete = () => {
      this.#completing = undefined;
      const current = !this.#peer.isClosed && this.#peer.transports === transports;
      if (current && this.#iceState === 'completed') this.#setIceState(transports, 'completed');
    };
    clearTimeout(this.#completing);
    this.#completing = setTimeout(complete, COMPLETED_AFTER_MS).unref();
  }

  /** Nothing is waited for any more: a timer would hold the connection, with all that belongs to it, for its time. */
  close(): void {
    clearTimeout(this.#completing);
  }

  #setIceState(transports: Transports, state: RTCIceTransportState): void {
    if (transports.ice.state === state) return;
    transports.ice.state = state;
    transports.ice.role = this.#peer.native.snapshot().ice?.role ?? transports.ice.role;
    this.#peer.updateStates(() => transports.fire('ice', 'statechange'));
  }

  #selectedPair({ local, remote }: Extract<NativeEvent, { type: 'selectedPair' }>): void {
    const { transports } = this.#peer;
    if (!transports) return;
    transports.selectPair(local, remote);
    transports.fire('ice', 'selectedcandidatepairchange');
  }

  #dtls(state: RTCDtlsTransportState, error: NativeRtcError | null): void {
    const { transports } = this.#peer;
    if (!transports || transports.dtls.state === state) return;
    transports.dtls.state = state;
    this.#peer.updateStates(() => {
      if (error) transports.fire('dtls', new RTCErrorEvent('error', { error: toRTCError(error) }));
      transports.fire('dtls', 'statechange');
    });
  }

  /** The message size is not taken from here: only descriptions change it, and a later one may have done so already. */
  #sctp(event: { state: RTCSctpTransportState; maxChannels: number | null }): void {
    const { transports, channels } = this.#peer;
    if (!transports) return;
    const changed = transports.sctp.state !== event.state;
    transports.sctp.state = event.state;
    transports.sctp.maxChannels = event.maxChannels;
    channels.updateIds();
    if (changed && transports.hasData) transports.fire('sctp', 'statechange');
  }

  #announced(handle: number, info: NativeChannelInfo): void {
    const channel = this.#peer.channels.announced(handle, info);
    this.#peer.channels.byHandle.get(handle)?.markOpen();
    this.#peer.target.dispatchEvent(new RTCDataChannelEvent('datachannel', { channel }));
  }
}
