// The channels of a link that carry its messages, as its preset wants them, and what tells that the other side wants others.
import { AgentError } from '../../base';
import { patience } from '../../native';
import type { RTCDataChannel, RTCError, RTCPeerConnection } from '../../w3c';
import { foreignPreset, presetChannels, type ChannelPreset, type PresetChannel } from './presets';

/**
 * How long an SCTP association may go without the channel that the other side has to open, in milliseconds: it is the first
 * thing that goes over the association, and loss delays it by a few round trips. Before there is an association nothing can
 * come, however long that takes: the other side may have a hundred handshakes to do.
 */
const PATIENCE = 10_000;

/** The same once the other side has opened a channel that belongs to another preset. */
const SUSPICIOUS = 1000;

/**
 * How long the end of a channel through which nothing ever came waits for what the signaling service may have to say about it,
 * in milliseconds: a side that uses other channels closes those that collide with its own at once.
 */
const LAST_WORD = 1000;

/** What the message channels need of their link. */
export interface MessageChannelsHost {
  readonly preset: ChannelPreset;
  readonly remote: string;
  readonly connection: RTCPeerConnection;
  /** Milliseconds between heartbeats on this side; 0 for none. */
  readonly heartbeat: number;
  /** What comes through this channel are messages. `heard` is called with the first one. */
  listen(channel: RTCDataChannel, heard?: () => void): void;
  /** The main channel is open. */
  ready(channel: RTCDataChannel): void;
  /** Another one is. */
  attach(channel: RTCDataChannel): void;
  /** A message channel is closed. */
  lost(): void;
  /** The other side uses other channels. */
  mismatch(error: AgentError): void;
  /** It may use other channels. */
  problem(error: AgentError): void;
}

/** Heartbeats that a negotiated channel may miss before it is reported as one that the other side does not have. */
const SILENT_INTERVALS = 2;

/** How often the specification's peers send heartbeats, in milliseconds. */
const USUAL_HEARTBEAT = 30_000;

/** The message channels of one connection after the other. */
export class MessageChannels {
  readonly #host: MessageChannelsHost;
  readonly #wanted: readonly PresetChannel[];
  #open = new Map<string, RTCDataChannel>();
  /** Takes back the limit that runs for the main channel. */
  #stopWaiting: (() => void) | undefined;
  /** The other side has opened a channel of another preset. */
  #suspicious = false;
  /** Something has come through one of them. */
  #heard = false;
  /** It has been said that the other side uses other channels. */
  #told = false;

  constructor(host: MessageChannelsHost) {
    this.#host = host;
    this.#wanted = presetChannels(host.preset);
  }

  /** Whether a label belongs to the preset. */
  owns(label: string): boolean {
    return this.#wanted.some((wanted) => wanted.label === label);
  }

  /** Makes those that this side has to make: negotiated ones on both sides, others on the side that offers. */
  start(offerer: boolean): void {
    const { connection } = this.#host;
    for (const { label, ...init } of this.#wanted) {
      if (offerer || init.negotiated) this.#use(connection.createDataChannel(label, init));
    }
    if (this.#open.size > 0) return;
    whenAssociated(connection, () => {
      // A connection that was given up meanwhile needs no channels.
      if (connection === this.#host.connection && this.#open.size === 0) this.#expect(PATIENCE);
    });
  }

  /** The other side has said which preset it uses. */
  compare(theirs: string | undefined): void {
    if (theirs === undefined || theirs === this.#host.preset) return;
    this.#mismatch(`was made with channels: ${JSON.stringify(theirs)}`);
  }

  /** Takes a channel that the other side has opened. False: it is one of the application. */
  announced(channel: RTCDataChannel): boolean {
    const { label } = channel;
    const wanted = this.#wanted.find((one) => one.label === label);
    if (wanted && !wanted.negotiated) {
      // The first one counts; a second one is only listened to.
      if (this.#open.has(label)) this.#host.listen(channel);
      else this.#use(channel);
      return true;
    }
    const theirs = foreignPreset(label, this.#host.preset);
    if (theirs === undefined) return false;
    if (this.#wanted[0]!.negotiated) {
      this.#mismatch(`has opened the channel "${label}": it uses '${theirs}'`);
      return true;
    }
    // A channel of the application may have that name; the main channel has not come yet, though.
    if (!this.#open.has(this.#wanted[0]!.label))
      this.#expect(SUSPICIOUS, `; it has opened "${label}" as '${theirs}' does`);
    return false;
  }

  /** The other side's offer won and brings its own; negotiated ones are the same for both. */
  yield(): void {
    if (this.#wanted[0]!.negotiated) return;
    for (const channel of this.forget()) channel.close();
  }

  /** Closes them; resolves when the other side has agreed. */
  async close(): Promise<void> {
    await Promise.all(
      this.forget().map((channel) => {
        const closed = new Promise((resolve) => channel.addEventListener('close', resolve));
        channel.close();
        return closed;
      }),
    );
  }

  /** What becomes of the present ones does not matter any more. */
  forget(): RTCDataChannel[] {
    this.#wait(undefined);
    this.#suspicious = false;
    this.#heard = false;
    const channels = [...this.#open.values()];
    this.#open = new Map();
    return channels;
  }

  #use(channel: RTCDataChannel): void {
    const { label } = channel;
    const main = label === this.#wanted[0]!.label;
    this.#open.set(label, channel);
    this.#host.listen(channel, () => this.#hear(channel));
    const current = () => this.#open.get(label) === channel;
    channel.addEventListener('error', ({ error }) => current() && this.#failed(channel, error));
    channel.addEventListener('close', () => current() && this.#lost(current));
    const opened = () => {
      if (!current()) return;
      if (!main) return this.#host.attach(channel);
      this.#wait(undefined);
      if (channel.negotiated) this.#expectToHear(channel);
      this.#host.ready(channel);
    };
    if (channel.readyState === 'open') opened();
    else channel.addEventListener('open', opened);
  }

  /** A channel is closed by the other side, or with its connection. `current`: it still is one of the link's. */
  #lost(current: () => boolean): void {
    // The link is about to end with the reason.
    if (this.#told) return;
    if (this.#heard || this.#host.connection.sctp?.state !== 'connected') this.#host.lost();
    else patience(LAST_WORD, () => current() && this.#host.lost());
  }

  /** Both sides have a negotiated channel: what fails it alone is that the other one uses its stream for something else. */
  #failed({ label, negotiated }: RTCDataChannel, { message }: RTCError): void {
    if (!negotiated || this.#host.connection.sctp?.state !== 'connected') return;
    this.#mismatch(`uses the stream of the negotiated channel "${label}" for another one (${message})`);
  }

  /** The main channel has to come within this time. */
  #expect(milliseconds: number, hint = ''): void {
    if (this.#suspicious) return;
    this.#suspicious = hint !== '';
    const [{ label }] = this.#wanted as [PresetChannel];
    this.#wait(patience(milliseconds, () => this.#mismatch(`has not opened the channel "${label}"${hint}`)));
  }

  /** Another limit, or none, takes the place of the present one. */
  #wait(end: (() => void) | undefined): void {
    this.#stopWaiting?.();
    this.#stopWaiting = end;
  }

  /** A negotiated channel opens whether the other side has it or not: only what comes through it tells. */
  #expectToHear(channel: RTCDataChannel): void {
    const { heartbeat, remote, preset } = this.#host;
    const limit = SILENT_INTERVALS * (heartbeat || USUAL_HEARTBEAT);
    const silent = patience(limit, () => {
      const text = `nothing has come from ${remote} through the negotiated channel "${channel.label}" in ${limit} ms; was it made with channels: '${preset}' as well?`;
      this.#host.problem(new AgentError('PROTOCOL_ERROR', text));
    });
    this.#wait(silent);
  }

  /** The first message has come through this channel. */
  #hear(channel: RTCDataChannel): void {
    this.#heard = true;
    if (channel === this.#open.get(this.#wanted[0]!.label)) this.#wait(undefined);
  }

  #mismatch(what: string): void {
    if (this.#told) return;
    this.#told = true;
    const text = `${this.#host.remote} ${what}, while this agent was made with channels: '${this.#host.preset}'; both must use the same`;
    this.#host.mismatch(new AgentError('PROTOCOL_ERROR', text));
  }
}

/** Acts once the SCTP association of a connection stands; never if that does not come about. */
function whenAssociated(connection: RTCPeerConnection, act: () => void): void {
  const look = () => {
    const { sctp } = connection;
    if (!sctp) return;
    connection.removeEventListener('connectionstatechange', look);
    if (sctp.state === 'connected') act();
    else if (sctp.state === 'connecting') sctp.addEventListener('statechange', look, { once: true });
  };
  connection.addEventListener('connectionstatechange', look);
}
