// What comes from the other agent: texts and bytes of its message channels, on their way to whoever waits for them.
import { clearTimeout, setTimeout } from '../../platform';
import { AgentError, errorFromJson, errorFromStranger, Inbox, nativeAgentCall } from '../../base';
import type { binding, LiftedText } from '../../native';
import type { RTCDataChannel } from '../../w3c';
import { coreOf } from '../../w3c/channel';
import type { ResolvedLimits } from '../limits';
import { parseHello, type Hello } from './hello';
import { parseLifted, wholeText } from './large-text';
import { isPlain, parseMessage, PLAIN_ID, PlainReader } from './plain';
import { SeenIds } from './seen';
import { readStatus, type AgentStatus } from './status';
import type { AgentMessage, MessageProgress, MessageSink } from './types';

/** What a received text means; known to `src/agent/session.rs`. 2: it is dropped. */
const MESSAGE = 0;
const HEARTBEAT = 1;
const OTHER = 3;
/** Added when the message came in parts. */
const WHOLE = 16;

/**
 * From this many UTF-16 units on the native core is shown the envelope of a message without its payload, which
 * JavaScript has parsed already: looking through a megabyte twice costs more than writing a small envelope anew.
 */
const LARGE = 16 * 1024;

type Details = ReturnType<InstanceType<typeof binding.AgentSession>['details']>;

/** Takes what is about calls. */
export interface CallSink {
  received(details: Details, message: Partial<AgentMessage>): void;
}

/** What receiving needs of the link. */
export interface MessageReceiverHost {
  readonly remote: string;
  readonly limits: ResolvedLimits;
  readonly calls: CallSink;
  /** State of the protocol. */
  readonly session: InstanceType<typeof binding.AgentSession>;
  /** Something has come from the other agent. */
  heard(heartbeat: boolean): void;
  /** The other side has said what it is. */
  greeted(hello: Hello): void;
  /** Where a message goes that is not for `otherwise`, the listeners of the link. */
  inbox(message: Pick<AgentMessage, 'metadata'>, otherwise: MessageSink): MessageSink | undefined;
  problem(error: AgentError): void;
  /** The other side has said how it is. */
  status(status: AgentStatus): void;
  /** A part of a large message has gone or come. */
  progress(progress: MessageProgress): void;
  /** Sends this envelope, which somebody over there may wait for. */
  reply(text: string): void;
}

/** The receiving half of {@link Messaging}. */
export class MessageReceiver {
  /** Received and not read yet. */
  readonly incoming: Inbox<AgentMessage>;
  readonly #host: MessageReceiverHost;
  #nextChannel = 0;
  /** Channels with their numbers, until the other side has said that it is one of our own. */
  #strange: { channel: RTCDataChannel; number: number }[] | undefined = [];
  #partsTimer: NodeJS.Timeout | undefined;
  /** The core remembers those that it has seen itself; most messages it is not shown. */
  readonly #seen: SeenIds;
  /** Up to so many UTF-16 units a text is not above the limit of bytes. */
  readonly #certainlySmall: number;

  constructor(host: MessageReceiverHost) {
    this.#host = host;
    this.#seen = new SeenIds(host.limits.dedupeIds);
    this.#certainlySmall = Math.min(LARGE, Math.floor(host.limits.messageBytes / 3));
    this.incoming = new Inbox<AgentMessage>({ items: host.limits.unreadMessages, bytes: host.limits.unreadBytes });
  }

  /** Takes what comes through this channel. `heard` is called with the first of it. */
  listen(channel: RTCDataChannel, heard?: () => void): void {
    const number = this.#nextChannel++;
    const reader = new PlainReader(this.#host.remote, channel.label);
    const core = coreOf(channel);
    const take = (data: string | ArrayBuffer) => {
      if (typeof data === 'string') this.#receive(number, data, reader);
      else this.#receiveBinary(data);
    };
    core.takeMessages((data) => {
      core.takeMessages(take);
      heard?.();
      take(data);
    });
    channel.addEventListener('close', () => this.#host.session.forgetChannel(number));
    if (!this.#strange) return this.#lift(channel, number);
    // Those of a connection that is gone close without an event.
    this.#strange = this.#strange.filter(({ channel }) => channel.readyState !== 'closed');
    this.#strange.push({ channel, number });
  }

  /** The other side is one of our own, whose messages may have long strings that need not be parsed. */
  liftStrings(): void {
    const channels = this.#strange ?? [];
    this.#strange = undefined;
    for (const { channel, number } of channels) this.#lift(channel, number);
  }

  /** Nothing comes any more. */
  close(): void {
    clearTimeout(this.#partsTimer);
    this.incoming.end();
  }

  #lift(channel: RTCDataChannel, number: number): void {
    coreOf(channel).liftStrings((text) => this.#receiveLifted(number, text));
  }

  #receiveLifted(channel: number, text: LiftedText): void {
    const message = text.bytes > this.#host.limits.messageBytes ? undefined : parseLifted(text);
    if (message && this.#receiveParsed(channel, message, text.bytes, () => wholeText(text))) return;
    this.#receive(channel, wholeText(text));
  }

  #receive(channel: number, text: string, reader?: PlainReader): void {
    if (text.length > LARGE && this.#receiveLarge(channel, text)) return;
    const small = text.length <= this.#certainlySmall;
    if (small && reader && this.#receivePlain(text, reader)) return;
    const message = small ? parseMessage(text) : undefined;
    if (message && isPlain(message, this.#host.remote)) {
      this.#host.heard(false);
      this.#receiveMessage(message, text.length);
      return;
    }
    const kind = this.#host.session.receive(channel, text);
    if (kind === MESSAGE) {
      this.#host.heard(false);
      this.#receiveMessage(message ?? (JSON.parse(text) as Partial<AgentMessage>), text.length);
    } else this.#receiveOther(kind, text);
  }

  /** What looks as our own agents write it. False: it is to be taken like any other. */
  #receivePlain(text: string, reader: PlainReader): boolean {
    const message = reader.read(text);
    const fresh = message && this.#seen.addUuid(text, PLAIN_ID);
    if (fresh === undefined) return false;
    this.#host.heard(false);
    if (fresh) this.#deliver(message, text.length);
    return true;
  }

  #receiveOther(kind: number, text: string): void {
    const whole = kind >= WHOLE ? (this.#host.session.takeWhole() ?? '') : text;
    const what = kind % WHOLE;
    this.#host.heard(what === HEARTBEAT);
    if (what === MESSAGE) this.#receiveMessage(JSON.parse(whole) as Partial<AgentMessage>, whole.length);
    else if (what === HEARTBEAT) this.#receiveHeartbeat(whole);
    else if (what === OTHER) this.#receiveDetails(whole);
    // Duplicates, what has expired and answers that nobody waits for any more are dropped, as the protocol wants it.
  }

  /**
   * A large message whose payload the core need not see: those of calls it counts, those of errors it reads. False:
   * it is to be taken like any other.
   */
  #receiveLarge(channel: number, text: string): boolean {
    if (text.length > this.#host.limits.messageBytes || !text.startsWith('{')) return false;
    let message: Partial<AgentMessage> | undefined;
    try {
      message = JSON.parse(text) as Partial<AgentMessage>;
    } catch {
      // The core says what is wrong with it.
      return false;
    }
    if (text.length * 3 > this.#host.limits.messageBytes && Buffer.byteLength(text) > this.#host.limits.messageBytes) {
      return false;
    }
    return this.#receiveParsed(channel, message, text.length, () => text);
  }

  #receiveParsed(channel: number, message: Partial<AgentMessage>, length: number, text: () => string): boolean {
    const { type, metadata } = message;
    if (typeof type !== 'string' || type === 'error' || type.startsWith('capability_')) return false;
    if (typeof metadata === 'object' && metadata !== null && metadata.chunked !== undefined) return false;
    const kind = this.#host.session.receive(channel, JSON.stringify({ ...message, payload: null }));
    if (kind === MESSAGE) {
      this.#host.heard(false);
      this.#receiveMessage(message, length);
    } else this.#receiveOther(kind, text());
    return true;
  }

  #receiveDetails(text: string): void {
    const details = this.#host.session.details();
    switch (details.kind) {
      case 'call':
      case 'response':
      case 'item':
        this.#host.calls.received(details, JSON.parse(text) as Partial<AgentMessage>);
        break;
      case 'part':
        this.#receivePart(details);
        break;
      case 'invalid':
        this.#host.problem(errorFromJson(details.error!));
        if (details.reply !== undefined) this.#host.reply(details.reply);
        break;
      default:
        this.#host.calls.received(details, {});
    }
  }

  #receivePart({ id, parts, total, bytes }: Details): void {
    this.#host.progress({ direction: 'receive', id: id!, parts: parts!, total: total!, bytes: bytes! });
    if (this.#partsTimer === undefined) this.#armParts();
  }

  /** One timer for all messages of which parts are missing. */
  #armParts(): void {
    const wait = this.#host.session.partsTimeout();
    this.#partsTimer = undefined;
    if (wait == null) return;
    this.#partsTimer = setTimeout(
      () => {
        for (const json of this.#host.session.expireParts()) this.#host.problem(errorFromJson(json));
        this.#armParts();
      },
      Math.ceil(wait) + 1,
    );
    // Waiting for the rest of a message is no reason to stay alive.
    this.#partsTimer.unref();
  }

  #receiveHeartbeat(text: string): void {
    const hello = parseHello((JSON.parse(text) as { metadata?: unknown }).metadata);
    if (!hello) return;
    this.#host.greeted(hello);
  }

  #receiveBinary(data: ArrayBuffer): void {
    this.#host.heard(false);
    const metadata = { agentId: this.#host.remote };
    const message = { type: 'binary', id: '', timestamp: '', payload: data, metadata, from: this.#host.remote };
    this.#deliver(message, data.byteLength);
  }

  #receiveMessage(message: Partial<AgentMessage>, length: number): void {
    const { type = 'message', id = '', timestamp = '', payload = null } = message;
    if (id !== '' && !this.#seen.add(id)) return;
    if (type === 'error') {
      this.#host.problem(errorFromStranger(payload));
      return;
    }
    const status = type === 'status' ? readStatus(payload) : undefined;
    if (status) {
      this.#host.status(status);
      return;
    }
    const from = this.#host.remote;
    const metadata = message.metadata ?? { agentId: from };
    // What is parsed takes about as much memory as its text, a few times that if it is many small objects.
    this.#deliver({ type, id, timestamp, payload, metadata, from }, length);
  }

  #deliver(message: AgentMessage, bytes: number): void {
    const inbox = this.#host.inbox(message, this.incoming) ?? this.incoming;
    if (inbox.push(message, bytes)) return;
    const { unreadMessages, unreadBytes } = this.#host.limits;
    const text = `${unreadMessages} messages or ${unreadBytes / 2 ** 20} MiB wait to be read here; this one was refused`;
    const error = new AgentError('RATE_LIMIT_EXCEEDED', text, { retryable: true });
    this.#host.problem(error);
    const payload = JSON.stringify({
      code: error.code,
      message: text,
      retryable: true,
      details: { messageId: message.id },
    });
    this.#host.reply(nativeAgentCall(() => this.#host.session.message('error', payload, {})).text);
  }
}
