// One attempt at a transfer: a channel, and the state machine of the core that says what goes over it.
import { clearTimeout, setTimeout } from '../../platform';
import { AgentError, messageOf } from '../../base';
import type { AgentChannel, ChannelData } from '../channels';

/** The label and the subprotocol of the channels that carry files. */
export const FILE_PROTOCOL = 'ossa-file';

/** What both machines of the core have in common. Events are JSON. */
export interface Machine {
  receive(text: string): string;
  abort(code: string, message: string, retryable: boolean): string | null;
  nextTimeout(): number | null;
  expire(): string | null;
}

/** An event of a machine: its kind and what belongs to it. */
export type MachineEvent = { kind: string } & Record<string, unknown>;

interface WireFailure {
  error: { code: string; message: string; retryable: boolean };
  tell: string | null;
}

/** What the owner of a conversation is told. After `failed` or `lost` nothing follows. */
export interface ConversationHandlers {
  event(event: MachineEvent): void;
  data(data: ArrayBuffer): void;
  /** It is over by an error of either side. */
  failed(error: AgentError, byRemote: boolean): void;
  /** The channel is gone without a word: the connection was lost, or the other program has ended. */
  lost(): void;
}

/** The conversation about one file over one channel. */
export class Conversation {
  readonly #channel: AgentChannel;
  readonly #machine: Machine;
  readonly #handlers: ConversationHandlers;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(channel: AgentChannel, machine: Machine, handlers: ConversationHandlers) {
    this.#channel = channel;
    this.#machine = machine;
    this.#handlers = handlers;
    channel.on('message', (data) => this.#receive(data));
    void channel.closed.then(() => this.#lost());
    this.#arm();
  }

  /** Whether nothing more can be said. */
  get over(): boolean {
    return this.#over;
  }

  /** Sends a text after everything before it. */
  say(text: string | null): Promise<void> {
    if (text === null) return Promise.resolve();
    // What cannot be sent because the channel is gone is reported as such.
    return this.#channel.send(text).catch(() => undefined);
  }

  /** Sends bytes when there is room. @throws AgentError - The channel is gone. */
  bytes(data: Uint8Array): Promise<void> {
    return this.#channel.send(data);
  }

  /** Gives up and tells the other side. */
  abort(error: AgentError): void {
    if (this.#over) return;
    this.#end();
    this.#closeAfter(this.#machine.abort(error.code, error.message, error.retryable));
  }

  /** Everything has been said: closes the channel behind the last word. */
  finish(last: string | null = null): void {
    this.#end();
    this.#closeAfter(last);
  }

  /** Everything has been said, and the other side closes the channel. Resolves when the last word has left. */
  async leave(last: string): Promise<void> {
    await this.say(last);
    this.#end();
  }

  /** What the machine has returned. */
  handle(json: string): void {
    const event = JSON.parse(json) as MachineEvent;
    if (event.kind === 'failed') this.#failed(event as unknown as WireFailure);
    else this.#handlers.event(event);
    this.#arm();
  }

  #receive(data: ChannelData): void {
    if (this.#over) return;
    if (typeof data === 'string') this.handle(this.#machine.receive(data));
    else this.#handlers.data(data);
  }

  #failed({ error: { code, message, retryable }, tell }: WireFailure): void {
    if (this.#over) return;
    this.#end();
    this.#closeAfter(tell);
    this.#handlers.failed(new AgentError(code, message, { retryable }), tell === null);
  }

  #lost(): void {
    if (this.#over) return;
    this.#end();
    this.#handlers.lost();
  }

  #closeAfter(text: string | null): void {
    void this.say(text).then(() => this.#channel.close());
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const wait = this.#over ? null : this.#machine.nextTimeout();
    if (wait === null) return;
    this.#timer = setTimeout(
      () => {
        const expired = this.#machine.expire();
        if (expired === null) this.#arm();
        else this.handle(expired);
      },
      // Not beyond what a timer can wait; not before the deadline either.
      Math.min(Math.ceil(wait), 2 ** 31 - 1),
    );
  }
}

/** What went wrong here with the disk or with a stream. Its text travels, so it must not tell paths. */
export function localFailure(cause: unknown, what: string): AgentError {
  if (cause instanceof AgentError) return cause;
  const { code } = (cause ?? {}) as { code?: unknown };
  const reason = typeof code === 'string' ? code : messageOf(cause);
  return new AgentError('CAPABILITY_FAILED', `${what}: ${reason}`, { cause, retryable: true });
}
