// The channels of a link: the one that carries the messages, and those of the application.
import { AgentError, Budget, checkMembers, checkSignal, Inbox } from '../../base';
import type { RTCDataChannel, RTCPeerConnection } from '../../w3c';
import { AgentChannel, channelInit, type ChannelInit, type Priority } from '../channels';
import { FILE_PROTOCOL } from '../files';
import type { ResolvedLimits } from '../limits';
import { MessageChannels, type ChannelPreset, type Messaging } from '../messages';

/** What the channels need of their link. */
export interface LinkChannelsHost {
  readonly remote: string;
  readonly preset: ChannelPreset;
  /** Milliseconds between heartbeats on this side; 0 for none. */
  readonly heartbeat: number;
  readonly messaging: Messaging;
  readonly limits: ResolvedLimits;
  readonly connection: RTCPeerConnection;
  /** The main message channel is open. */
  ready(channel: RTCDataChannel): void;
  /** A message channel is closed. */
  lost(): void;
  /** The other side uses other message channels. */
  mismatch(error: AgentError): void;
  /** The other side has opened a channel for a file. */
  file(channel: AgentChannel): void;
  /** Waits while the link has no connection. @throws AgentError - The link is closed. */
  usable(signal: AbortSignal | undefined): Promise<void>;
  problem(error: AgentError): void;
}

/** All channels of a link. */
export class LinkChannels {
  readonly #host: LinkChannelsHost;
  readonly #channels = new Set<AgentChannel>();
  readonly #messages: MessageChannels;
  /** What was received and not read, on all of them. */
  readonly #unread: Budget;
  /** Channels that the other side has opened. */
  readonly incoming: Inbox<AgentChannel>;
  /** Who takes those of a subprotocol, instead of `incoming`. */
  readonly takers = new Map<string, (channel: AgentChannel) => void>();

  constructor(host: LinkChannelsHost) {
    this.#host = host;
    this.#unread = new Budget(host.limits.unreadChannelBytes);
    this.#messages = this.#makeMessageChannels();
    this.incoming = new Inbox<AgentChannel>({ items: host.limits.unreadChannels, bytes: Infinity });
  }

  /** Makes the message channels that this side has to make. */
  start(offerer: boolean): void {
    this.#messages.start(offerer);
  }

  /** The other side has said which preset it uses. */
  compare(theirs: string | undefined): void {
    this.#messages.compare(theirs);
  }

  /** The other side's offer won and brings its own message channels; two of each would be too many. */
  yield(): void {
    this.#messages.yield();
  }

  /** The connection is given up: channels of the application end with the error, messages wait for the next one. */
  suspend(error: AgentError): void {
    this.#messages.forget();
    this.#host.messaging.detach();
    this.abandon(error);
  }

  /** Ends all channels at once. */
  abandon(error: AgentError | undefined): void {
    this.#messages.forget();
    for (const channel of [...this.#channels]) channel.abandon(error);
  }

  /** The other side has opened a channel. */
  announced(channel: RTCDataChannel): void {
    if (this.#messages.announced(channel)) return;
    const announced = new AgentChannel(channel, this.#unread);
    this.#adopt(announced);
    const taker = this.takers.get(channel.protocol);
    if (channel.protocol === FILE_PROTOCOL) this.#host.file(announced);
    else if (taker) taker(announced);
    else if (!this.incoming.push(announced)) {
      const text = `${this.#host.limits.unreadChannels} channels wait for a listener; "${channel.label}" was closed`;
      const error = new AgentError('RATE_LIMIT_EXCEEDED', text);
      // What still comes through it is not kept.
      announced.abandon(error);
      this.#host.problem(error);
    }
  }

  /** Opens a channel of the application; resolves when it is open. */
  async create(label: string, init: ChannelInit | undefined, options: { signal?: AbortSignal }): Promise<AgentChannel> {
    if (typeof label !== 'string') throw new TypeError('the label of a channel must be a string');
    if (this.#messages.owns(label)) throw new TypeError(`the label "${label}" belongs to the messages of the link`);
    checkMembers(options, 'the options of createChannel', ['signal']);
    const signal = checkSignal(options.signal, 'signal');
    const converted = channelInit(init);
    await this.#host.usable(signal);
    const channel = new AgentChannel(this.#host.connection.createDataChannel(label, converted), this.#unread);
    this.#adopt(channel);
    return await channel.ready(signal);
  }

  /** Opens a channel for a file. */
  async createForFile(priority: Priority, signal: AbortSignal): Promise<AgentChannel> {
    await this.#host.usable(signal);
    const init = channelInit({ protocol: FILE_PROTOCOL, priority });
    const channel = new AgentChannel(this.#host.connection.createDataChannel(FILE_PROTOCOL, init), this.#unread);
    this.#adopt(channel);
    return await channel.ready(signal);
  }

  /** Closes all of them after what was sent has gone out; resolves when the other side has agreed. */
  async close(): Promise<void> {
    const channels = [...this.#channels].map((channel) => channel.close());
    await Promise.all([...channels, this.#messages.close()]);
  }

  #makeMessageChannels(): MessageChannels {
    const host = this.#host;
    const { preset, remote, heartbeat, messaging } = host;
    return new MessageChannels({
      preset,
      remote,
      heartbeat,
      get connection() {
        return host.connection;
      },
      listen: (channel, heard) => messaging.listen(channel, heard),
      ready: (channel) => host.ready(channel),
      attach: (channel) => messaging.attachSide(channel),
      lost: () => host.lost(),
      mismatch: (error) => host.mismatch(error),
      problem: (error) => host.problem(error),
    });
  }

  #adopt(channel: AgentChannel): void {
    this.#channels.add(channel);
    channel.on('close', () => void this.#channels.delete(channel));
  }
}
