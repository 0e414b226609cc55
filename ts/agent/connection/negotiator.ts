// Perfect negotiation (webrtc-pc 10.7) over signaling messages, with the agent URIs as tie-break.
import { messageOf } from '../../base';
import { sdpOf, type SignalingCandidate, type SignalingMessage } from '../../signaling';
import type { RTCIceCandidateInit, RTCPeerConnection } from '../../w3c';
import { MAX_EARLY_CANDIDATES, RemoteCandidates } from './remote-candidates';

/** Messages waiting for the one before to be applied. */
const MAX_QUEUED = 1024;

/** What a negotiator says. */
type Message = Pick<SignalingMessage, 'type' | 'sdp' | 'candidate'>;

/** What a negotiator needs of its link. */
export interface NegotiatorHost {
  readonly connection: RTCPeerConnection;
  /** On a collision of offers this side gives way. */
  readonly polite: boolean;
  /** Called before candidates are gathered: the configuration of the connection may be out of date. */
  refresh(): Promise<void> | undefined;
  /** Sends to the other agent; adds sender, recipient and session. */
  transmit(message: Message): Promise<void>;
  /** This side's offer gave way to the other's. */
  yielded(): void;
  /** The other's offer gave way to this side's, which it may not have got. */
  ignored(): void;
  /** Something that the link survives. */
  problem(text: string, cause: unknown): void;
  /** The set-up cannot go on. */
  fail(text: string, cause: unknown): void;
}

/** Carries offers, answers and candidates between one connection and the other agent. */
export class Negotiator {
  readonly #host: NegotiatorHost;
  #makingOffer = false;
  /** What was sent since the last description, that one first: it may have to be told once more. */
  #told: Message[] = [];
  /** What was received last of each: whoever says the same once more does not know whether it has arrived. */
  readonly #heard: { offer?: string; answer?: string } = {};
  /** An offer of the other side is being answered. */
  #answering = false;
  #ignoredOffer = false;
  /** Own candidates wait here until the description they belong to has been sent. */
  #described = false;
  #ownEarly: (SignalingCandidate | null)[] = [];
  readonly #candidates = new RemoteCandidates();
  #outgoing: Promise<void> = Promise.resolve();
  #incoming: Promise<void> = Promise.resolve();
  #queued = 0;
  #stopped = false;

  constructor(host: NegotiatorHost) {
    this.#host = host;
    const { connection } = host;
    connection.addEventListener('negotiationneeded', () => void this.#offer());
    connection.addEventListener('icecandidate', ({ candidate }) => {
      // The empty candidate ends one generation, null ends them all: the latter is what is sent.
      if (candidate?.candidate !== '') this.#candidate(candidate ? candidate.toJSON() : null);
    });
  }

  /** An own offer is on its way and not answered. */
  get offering(): boolean {
    return this.#makingOffer || this.#host.connection.signalingState === 'have-local-offer';
  }

  /** Nothing is sent or applied any more. */
  stop(): void {
    this.#stopped = true;
    this.#candidates.clear();
    this.#told = [];
  }

  /** An offer that waits for its answer may be lost: it is told once more. */
  repeat(): void {
    // One that is being made leaves by itself.
    const waits = !this.#makingOffer && this.#host.connection.signalingState === 'have-local-offer';
    if (waits && this.#told[0]?.type === 'offer') this.#repeat();
  }

  /** To the letter, so that the other side knows it again. */
  #repeat(): void {
    for (const message of this.#told) this.#transmit(message);
  }

  /** Takes an offer, an answer or a candidate, one after the other. */
  handle(message: SignalingMessage): void {
    if (this.#queued >= MAX_QUEUED) {
      this.#host.problem(`more than ${MAX_QUEUED} signaling messages at once; ${message.type} dropped`, undefined);
      return;
    }
    this.#queued++;
    this.#incoming = this.#incoming.then(async () => {
      this.#queued--;
      if (this.#stopped) return;
      if (message.type === 'ice-candidate') await this.#addCandidate(message.candidate);
      else if (message.type !== 'error') await this.#describe(message.type, sdpOf(message));
    });
  }

  async #offer(): Promise<void> {
    const { connection } = this.#host;
    if (this.#stopped) return;
    try {
      this.#makingOffer = true;
      const refreshed = this.#host.refresh();
      if (refreshed) {
        await refreshed;
        // What the other side has offered meanwhile is answered elsewhere. If that leaves something to negotiate, we are told.
        if (this.#answering || this.#stopped) return;
      }
      await connection.setLocalDescription();
      // A remote offer may have been applied meanwhile.
      if (connection.localDescription?.type === 'offer') this.#send('offer', connection.localDescription.sdp);
    } catch (error) {
      if (!this.#stopped) this.#host.fail(`no offer could be made: ${messageOf(error)}`, error);
    } finally {
      this.#makingOffer = false;
    }
  }

  async #describe(type: 'offer' | 'answer', sdp: string): Promise<void> {
    const { connection, polite } = this.#host;
    if (this.#heard[type] === sdp) {
      // What has come of an offer may not have arrived. An answer could be taken for one to the next offer.
      if (type === 'offer' && this.#told[0]?.type === 'answer') this.#repeat();
      return;
    }
    if (type === 'answer' && connection.signalingState !== 'have-local-offer') {
      this.#host.problem(`an answer in the state ${connection.signalingState} was ignored`, undefined);
      return;
    }
    const collision = type === 'offer' && this.offering;
    this.#ignoredOffer = collision && !polite;
    if (this.#ignoredOffer) return this.#host.ignored();
    if (collision) {
      this.#host.yielded();
      this.#ownEarly = [];
    }
    try {
      this.#answering = type === 'offer';
      await connection.setRemoteDescription({ type, sdp });
      this.#heard[type] = sdp;
      for (const candidate of this.#candidates.applied(sdp)) await this.#apply(candidate);
      if (type === 'answer') return;
      await this.#host.refresh();
      await connection.setLocalDescription();
      if (connection.localDescription) this.#send('answer', connection.localDescription.sdp);
    } catch (error) {
      if (!this.#stopped) this.#host.fail(`the ${type} was not accepted: ${messageOf(error)}`, error);
    } finally {
      this.#answering = false;
    }
  }

  async #addCandidate(candidate: SignalingCandidate | null | undefined): Promise<void> {
    // Without a candidate there are no more: `addIceCandidate` takes a dictionary without one as that.
    const init: RTCIceCandidateInit = candidate?.candidate ? candidate : { candidate: '' };
    if (init.candidate && init.sdpMid == null && init.sdpMLineIndex == null) init.sdpMLineIndex = 0;
    const when = this.#candidates.take(init, this.#host.connection.remoteDescription !== null);
    if (when === 'now') await this.#apply(init);
    else if (when === 'full')
      this.#host.problem(`more than ${MAX_EARLY_CANDIDATES} candidates before their description`, undefined);
  }

  async #apply(candidate: RTCIceCandidateInit): Promise<void> {
    try {
      await this.#host.connection.addIceCandidate(candidate);
    } catch (error) {
      // Those of an offer that was ignored belong to nothing here. Any other is one path less, not the end.
      if (!this.#ignoredOffer && !this.#stopped) {
        this.#host.problem(`a candidate was not accepted: ${messageOf(error)}`, error);
      }
    }
  }

  #candidate(candidate: SignalingCandidate | null): void {
    if (this.#described) this.#tell({ type: 'ice-candidate', candidate });
    else this.#ownEarly.push(candidate);
  }

  #send(type: 'offer' | 'answer', sdp: string): void {
    this.#told = [];
    this.#tell({ type, sdp });
    this.#described = true;
    for (const candidate of this.#ownEarly.splice(0)) this.#candidate(candidate);
  }

  #tell(message: Message): void {
    if (this.#told.length <= MAX_EARLY_CANDIDATES) this.#told.push(message);
    this.#transmit(message);
  }

  /** One after the other, so that an adapter that takes its time cannot change the order. */
  #transmit(message: Message): void {
    this.#outgoing = this.#outgoing.then(async () => {
      if (this.#stopped) return;
      try {
        await this.#host.transmit(message);
      } catch (error) {
        if (message.type === 'ice-candidate')
          this.#host.problem(`a candidate was not sent: ${messageOf(error)}`, error);
        else this.#host.fail(`the ${message.type} was not sent: ${messageOf(error)}`, error);
      }
    });
  }
}
