// The channels of a link: the one that carries the messages, and those of the application.
import type { RTCDataChannel, RTCPeerConnection } from '../w3c';
import { AgentChannel, channelInit, type ChannelInit, type Priority } from './channel';
import { AgentError } from './errors';
import { Inbox } from './events';
import { FILE_PROTOCOL } from './files';
import type { ResolvedLimits } from './limits';
import type { Messaging } from './messaging';
import { checkMembers, checkSignal } from './options';

/** The channel of the specification that carries the envelopes. */
const MESSAGE_CHANNEL = 'ossa-channel';

/** What the channels need of their link. */
export interface LinkChannelsHost {
  readonly messaging: Messaging;
  readonly limits: ResolvedLimits;
  readonly connection: RTCPeerConnection;
  /** The message channel is open. */
  ready(channel: RTCDataChannel): void;
  /** The message channel is closed. */
  lost(): void;
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
  #messages: RTCDataChannel | undefined;
  /** Channels that the other side has opened. */
  readonly incoming: Inbox<AgentChannel>;

  constructor(host: LinkChannelsHost) {
    this.#host = host;
    this.incoming = new Inbox<AgentChannel>({ items: host.limits.unreadChannels, bytes: Infinity });
  }

  /** Makes the message channel from this side: whatever is negotiated then has something to carry. */
  start(offerer: boolean): void {
    if (!offerer) return;
    // Reliable, unlike in the specification's example: calls and messages must not get lost.
    this.#use(this.#host.connection.createDataChannel(MESSAGE_CHANNEL, { ordered: true }));
  }

  /** The other side's offer won and brings its own message channel; two would be one too many. */
  yield(): void {
    const own = this.#messages;
    this.#messages = undefined;
    own?.close();
  }

  /** The connection is given up: channels of the application end with the error, messages wait for the next one. */
  suspend(error: AgentError): void {
    this.#messages = undefined;
    this.#host.messaging.detach();
    this.abandon(error);
  }

  /** Ends the channels of the application at once. */
  abandon(error: AgentError | undefined): void {
    for (const channel of [...this.#channels]) channel.abandon(error);
  }

  /** The other side has opened a channel. */
  announced(channel: RTCDataChannel): void {
    if (channel.label === MESSAGE_CHANNEL) {
      // The first one counts; a second one is only listened to.
      if (this.#messages) this.#host.messaging.listen(channel);
      else this.#use(channel);
      return;
    }
    const announced = new AgentChannel(channel);
    this.#adopt(announced);
    if (channel.protocol === FILE_PROTOCOL) this.#host.file(announced);
    else if (!this.incoming.push(announced)) {
      void announced.close();
      const text = `${this.#host.limits.unreadChannels} channels wait for a listener; "${channel.label}" was closed`;
      this.#host.problem(new AgentError('RATE_LIMIT_EXCEEDED', text));
    }
  }

  /** Opens a channel of the application; resolves when it is open. */
  async create(label: string, init: ChannelInit | undefined, options: { signal?: AbortSignal }): Promise<AgentChannel> {
    if (typeof label !== 'string') throw new TypeError('the label of a channel must be a string');
    if (label === MESSAGE_CHANNEL)
      throw new TypeError(`the label "${MESSAGE_CHANNEL}" belongs to the messages of the link`);
    checkMembers(options, 'the options of createChannel', ['signal']);
    const signal = checkSignal(options.signal, 'signal');
    const converted = channelInit(init);
    await this.#host.usable(signal);
    const channel = new AgentChannel(this.#host.connection.createDataChannel(label, converted));
    this.#adopt(channel);
    return await channel.ready(signal);
  }

  /** Opens a channel for a file. */
  async createForFile(priority: Priority, signal: AbortSignal): Promise<AgentChannel> {
    await this.#host.usable(signal);
    const init = channelInit({ protocol: FILE_PROTOCOL, priority });
    const channel = new AgentChannel(this.#host.connection.createDataChannel(FILE_PROTOCOL, init));
    this.#adopt(channel);
    return await channel.ready(signal);
  }

  /** Closes all of them after what was sent has gone out; resolves when the other side has agreed. */
  async close(): Promise<void> {
    const channels = [...this.#channels].map((channel) => channel.close());
    const messages = this.#messages;
    const done = new Promise((resolve) => messages?.addEventListener('close', resolve));
    messages?.close();
    await Promise.all([...channels, done]);
  }

  #adopt(channel: AgentChannel): void {
    this.#channels.add(channel);
    channel.on('close', () => void this.#channels.delete(channel));
  }

  #use(channel: RTCDataChannel): void {
    this.#messages = channel;
    this.#host.messaging.listen(channel);
    channel.addEventListener('close', () => {
      if (channel === this.#messages) this.#host.lost();
    });
    const opened = () => {
      if (channel !== this.#messages) return;
      this.#host.ready(channel);
    };
    if (channel.readyState === 'open') opened();
    else channel.addEventListener('open', opened);
  }
}
