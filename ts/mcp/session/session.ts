// The session itself: through one channel after the other, until one of the two sides has enough.
import { errorFromStranger } from '../../base';
import { AgentError, type AgentChannel, type ChannelData, type Link } from '../../index';
import { Intake } from './intake';
import { PART, type SessionLimits } from './limits';
import { Outbox } from './outbox';

/** Reasons are for people; nobody needs more of them. */
const MAX_REASON = 1024;

/** What a session needs of its user. */
export interface SessionHost {
  /** A message has arrived; must neither throw nor reject. The next one waits for the promise. */
  deliver(text: string): void | Promise<void>;
  /** The connection is lost, the session is not: it goes on with the next `attach`. */
  lost(): void;
  /** It is over, by either side; with an error if it was not by choice. Once. */
  ended(error: AgentError | undefined): void;
}

/** One session, as one side sees it. */
export class Session {
  readonly #host: SessionHost;
  readonly #link: Link;
  readonly #limits: SessionLimits;
  readonly #outbox = new Outbox();
  readonly #intake: Intake;
  #channel: AgentChannel | undefined;
  #pumping = false;
  #over = false;

  constructor(
    host: SessionHost,
    link: Link,
    readonly id: string,
    limits: SessionLimits,
  ) {
    this.#host = host;
    this.#link = link;
    this.#limits = limits;
    const acknowledge = (count: number) => this.#say(`a${count}`);
    this.#intake = new Intake(limits.ours, (text) => host.deliver(text), acknowledge);
  }

  /** Whether it is over. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether it has a channel. */
  get attached(): boolean {
    return this.#channel !== undefined;
  }

  /** Messages of the other side that have arrived. */
  get received(): number {
    return this.#intake.received;
  }

  /** Bytes of one message that the other side takes. */
  get mostBytes(): number {
    return this.#limits.theirs;
  }

  /** The messages of this side that the other one has not acknowledged. */
  get kept(): number {
    return this.#outbox.size;
  }

  /** Sends a message; resolves when a channel has taken it. @throws AgentError - It is over, or too much waits. */
  send(text: string): Promise<void> {
    if (this.#over) return Promise.reject(gone());
    const sent = this.#outbox.push(text);
    void this.#pump();
    return sent;
  }

  /** What was sent through the channel that is lost counts as far as the other side has `received` it. */
  rewind(received: number): boolean {
    this.detach();
    return this.#outbox.rewind(received);
  }

  /** From now on the session uses this channel. */
  attach(channel: AgentChannel): void {
    this.#channel = channel;
    channel.on('message', (data) => this.#receive(channel, data));
    channel.on('close', (error) => this.#closed(channel, error));
    if (channel.state === 'closed') return this.#closed(channel, undefined);
    if (this.#intake.dealtWith > 0) this.#intake.acknowledge();
    void this.#pump();
  }

  /** The channel does not count any more. */
  detach(): void {
    const channel = this.#channel;
    this.#channel = undefined;
    this.#intake.interrupted();
    void channel?.close();
  }

  /** Ends it, for this side and, unless it is gone, for the other one, which is told the error. */
  end(error?: AgentError): void {
    if (this.#over) return;
    const reason = error && { code: error.code, message: error.message.slice(0, MAX_REASON) };
    this.#say(reason ? `e${JSON.stringify(reason)}` : 'e');
    this.#finish(error);
  }

  #finish(error: AgentError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.detach();
    this.#intake.end();
    this.#outbox.fail(error ?? gone());
    this.#host.ended(error);
  }

  #receive(channel: AgentChannel, data: ChannelData): void {
    if (channel !== this.#channel) return;
    if (typeof data !== 'string') return this.#violated('binary data');
    const rest = data.slice(1);
    try {
      if (data.startsWith('m')) this.#intake.part(rest, true);
      else if (data.startsWith('p')) this.#intake.part(rest, false);
      else if (data.startsWith('a')) this.#acknowledged(rest);
      else if (data.startsWith('e')) this.#finish(rest === '' ? undefined : errorOf(rest));
      else this.#violated(`a message that begins with ${JSON.stringify(data.slice(0, 1))}`);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      this.end(error);
    }
  }

  #acknowledged(count: string): void {
    if (!this.#outbox.acknowledge(/^\d{1,16}$/.test(count) ? Number(count) : NaN)) {
      return this.#violated('an acknowledgement of what was not sent');
    }
    void this.#pump();
  }

  /** The other side does not keep to the protocol: nothing it says can be relied on. */
  #violated(what: string): void {
    this.end(new AgentError('PROTOCOL_ERROR', `${this.#link.remote.agentId} has sent ${what} in a session`));
  }

  #closed(channel: AgentChannel, error: AgentError | undefined): void {
    if (channel !== this.#channel) return;
    const { state, error: reason, remote } = this.#link;
    const closed = unreachable(`the link to ${remote.agentId}, or the channel of the session, was closed`);
    if (state === 'closed') return this.#finish(reason ?? closed);
    // A channel that ends with its connection says so; any other end is one of the session.
    if (!error?.retryable) return this.#finish(error ?? closed);
    this.detach();
    this.#host.lost();
  }

  /** Gives messages to the channel while there is room. One at a time: the parts of two must not mix. */
  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    let channel: AgentChannel | undefined;
    try {
      while ((channel = this.#channel)) {
        const text = this.#outbox.next;
        if (text === undefined) break;
        this.#outbox.began();
        for (const part of partsOf(text)) await channel.send(part);
        if (channel === this.#channel) this.#outbox.gone();
      }
    } catch {
      // The channel is closed or about to be: its event says what that means.
    } finally {
      this.#pumping = false;
    }
    // Meanwhile it may have got another one.
    if (this.#channel && channel !== this.#channel) void this.#pump();
  }

  /** Not awaited: these are few and short. */
  #say(text: string): void {
    this.#channel?.send(text).catch(() => undefined);
  }
}

/** The frames of a message. */
function* partsOf(text: string): Generator<string> {
  let start = 0;
  while (text.length - start > PART) {
    // Not between the halves of a character.
    const unit = text.charCodeAt(start + PART - 1);
    const end = start + PART - (unit >= 0xd800 && unit <= 0xdbff ? 1 : 0);
    yield `p${text.slice(start, end)}`;
    start = end;
  }
  yield `m${text.slice(start)}`;
}

function errorOf(text: string): AgentError {
  try {
    return errorFromStranger(JSON.parse(text));
  } catch {
    return new AgentError('PROTOCOL_ERROR', 'the other side has ended the session without a valid reason');
  }
}

function gone(): AgentError {
  return unreachable('the session is over');
}

function unreachable(message: string): AgentError {
  return new AgentError('AGENT_UNREACHABLE', message, { retryable: true });
}
