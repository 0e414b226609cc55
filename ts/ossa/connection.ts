// One W3C connection of a transport: descriptions, candidates, channels. A transport may have several, one after the other.
import { clearTimeout, setTimeout } from '../platform';
import { Backpressure, sendingFailed } from '../agent/channels';
import { RTCPeerConnection, type RTCDataChannel, type RTCIceCandidateInit } from '../w3c';
import type { WebRTCTransportConfig } from './types';

/** Candidates kept until their description comes. Browsers gather a few dozen at most. */
const MAX_EARLY_CANDIDATES = 256;

/** Milliseconds that what was sent has to go out when the connection is closed. */
const GOODBYE = 2000;

/** What a connection tells its transport. */
export interface ConnectionHost {
  candidate(candidate: RTCIceCandidateInit): void;
  stateChanged(state: RTCPeerConnection['connectionState']): void;
  channelAdded(channel: RTCDataChannel): void;
  channelOpened(label: string): void;
  channelClosed(channel: RTCDataChannel): void;
  channelFailed(label: string, error: Event): void;
  received(data: string | ArrayBuffer): void;
}

/** A connection with its channels. After {@link Connection.close} or `abandon` it tells its host nothing more. */
export class Connection {
  /** Names the attempt to connect, as its offer does. */
  sessionId: string | undefined;
  /** An own offer is being made, or waits for its answer. */
  offering = false;
  readonly pc: RTCPeerConnection;
  readonly #host: ConnectionHost;
  readonly #channels = new Map<RTCDataChannel, Backpressure>();
  #early: RTCIceCandidateInit[] = [];
  /** Own candidates wait here until the description that they belong to has been handed to the signaling. */
  #gathered: RTCIceCandidateInit[] | undefined = [];
  #over = false;

  constructor(host: ConnectionHost, { iceServers }: WebRTCTransportConfig) {
    this.#host = host;
    this.pc = new RTCPeerConnection({
      iceServers,
      iceTransportPolicy: 'all',
      bundlePolicy: 'max-bundle',
      rtcpMuxPolicy: 'require',
    });
    this.pc.onicecandidate = ({ candidate }) => {
      if (!candidate || this.#over) return;
      if (this.#gathered) this.#gathered.push(candidate.toJSON());
      else host.candidate(candidate.toJSON());
    };
    this.pc.onconnectionstatechange = () => {
      if (!this.#over) host.stateChanged(this.pc.connectionState);
    };
    this.pc.ondatachannel = ({ channel }) => this.#add(channel);
  }

  /** Whether every channel that this side made, or the first that the other side made, is open. */
  get usable(): boolean {
    const channels = [...this.#channels.keys()];
    return channels.length > 0 && channels.every(({ readyState }) => readyState === 'open');
  }

  /** Whether the other side has, or had, the other end of this connection. */
  get established(): boolean {
    return this.pc.connectionState === 'connected' || this.pc.connectionState === 'disconnected';
  }

  createChannels(channels: NonNullable<WebRTCTransportConfig['channels']>): void {
    for (const { label, ...init } of channels) this.#add(this.pc.createDataChannel(label, init));
  }

  /** Candidates go out from now on: the description has been sent. */
  described(): void {
    for (const candidate of this.#gathered?.splice(0) ?? []) this.#host.candidate(candidate);
    this.#gathered = undefined;
  }

  /** Applies a description of the other side, and the candidates that came before it. */
  async accept(type: 'offer' | 'answer', sdp: string): Promise<void> {
    await this.pc.setRemoteDescription({ type, sdp });
    for (const candidate of this.#early.splice(0)) {
      // What was left over from another attempt does not fit and is of no use.
      await this.pc.addIceCandidate(candidate).catch(() => undefined);
    }
  }

  /** Applies a candidate of the other side, or keeps it until its description comes. */
  async addCandidate(candidate: RTCIceCandidateInit | null | undefined): Promise<void> {
    const { remoteDescription } = this.pc;
    const ufrag = candidate?.usernameFragment;
    // One of another attempt, of an offer that gave way to ours for example, is of no use and no error.
    if (remoteDescription && (!ufrag || remoteDescription.sdp.includes(`a=ice-ufrag:${ufrag}`)))
      await this.pc.addIceCandidate(candidate);
    else if (remoteDescription) return;
    else if (candidate && this.#early.length < MAX_EARLY_CANDIDATES) this.#early.push(candidate);
  }

  /** Sends texts one after the other as soon as there is room, at once if possible. Nothing that is sent later overtakes. */
  async send(channel: RTCDataChannel, texts: (() => string)[], check: () => void): Promise<void> {
    const backpressure = this.#channels.get(channel)!;
    const sending = texts.map((text) =>
      backpressure.run(() => {
        check();
        try {
          channel.send(text());
        } catch (error) {
          throw sendingFailed(error);
        }
      }),
    );
    await Promise.all(sending);
  }

  /**
   * The other side has begun anew. It ends this connection, and if it does not, the network does: an end from this side
   * would make the reference forget its new channels, which have the same labels. Calls `gone` when it is over.
   */
  abandon(gone: () => void): void {
    if (this.#over) return;
    this.#over = true;
    const check = () => {
      const { connectionState } = this.pc;
      if (this.#channels.size > 0 && connectionState !== 'failed' && connectionState !== 'closed') return;
      this.pc.close();
      gone();
    };
    this.pc.onconnectionstatechange = check;
    for (const channel of this.#channels.keys()) channel.addEventListener('close', check);
    check();
  }

  /** Closes after what was sent has gone out, for two seconds at most. */
  async close(): Promise<void> {
    this.#over = true;
    const open = [...this.#channels.keys()].filter(({ readyState }) => readyState === 'open');
    const closed = open.map((channel) => new Promise((resolve) => channel.addEventListener('close', resolve)));
    for (const channel of open) channel.close();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => (timer = setTimeout(resolve, GOODBYE)));
    const gone = new Promise((resolve) => (this.pc.onconnectionstatechange = resolve));
    if (open.length > 0) await Promise.race([Promise.all(closed), patience, gone]);
    clearTimeout(timer);
    this.pc.close();
  }

  #add(channel: RTCDataChannel): void {
    channel.binaryType = 'arraybuffer';
    this.#channels.set(channel, new Backpressure(channel));
    const { label } = channel;
    const host = this.#host;
    channel.onopen = () => void (this.#over || host.channelOpened(label));
    channel.onclose = () => {
      this.#channels.delete(channel);
      if (!this.#over) host.channelClosed(channel);
    };
    channel.onerror = (error) => void (this.#over || host.channelFailed(label, error));
    channel.onmessage = ({ data }) => void (this.#over || host.received(data as string | ArrayBuffer));
    host.channelAdded(channel);
  }
}
