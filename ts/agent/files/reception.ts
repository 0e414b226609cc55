// Receiving over one channel: the conversation, and the bytes that wait to be written.
import { AgentError, errorFromJson, nativeAgentCall } from '../../base';
import { binding } from '../../native';
import type { AgentChannel } from '../channels';
import { Conversation, type MachineEvent } from './conversation';
import type { Offer } from './offer';
import type { JournalCheck } from './sink';

/** Bytes that are written at once. */
const BATCH = 1024 * 1024;

/** What a reception tells its owner. */
export interface ReceptionHandlers {
  offered(reception: Reception, offer: Offer): void;
  /** It is over by an error of either side. */
  failed(error: AgentError, byRemote: boolean): void;
  /** The channel is gone without a word. */
  lost(): void;
}

/** One attempt of the other side to send a file. */
export class Reception {
  readonly #machine: InstanceType<typeof binding.FileReceiver>;
  readonly #conversation: Conversation;
  readonly #handlers: ReceptionHandlers;
  /** Received and not written: the core sees to it that this is never more than the window. */
  #unwritten: Uint8Array[] = [];
  #offer: (Offer & { resumable?: boolean }) | undefined;
  #start: number | undefined;
  #finished = false;
  #dropped = false;
  #wake: () => void = () => undefined;

  /** `window` in bytes, `timeout` in milliseconds. */
  constructor(channel: AgentChannel, window: number, timeout: number, handlers: ReceptionHandlers) {
    this.#handlers = handlers;
    this.#machine = new binding.FileReceiver(window, timeout);
    this.#conversation = new Conversation(channel, this.#machine, {
      event: (event) => this.#event(event),
      data: (data) => this.#data(data),
      failed: (error, byRemote) => {
        this.#wake();
        if (!this.#dropped) handlers.failed(error, byRemote);
      },
      lost: () => {
        this.#wake();
        if (!this.#dropped) handlers.lost();
      },
    });
  }

  /** Whether the channel is of no more use. */
  get over(): boolean {
    return this.#conversation.over;
  }

  /** Whether the sender can begin anywhere. */
  get resumable(): boolean {
    return this.#offer?.resumable === true;
  }

  /** What may be on the disk from an earlier attempt. */
  journal(from: string): JournalCheck {
    return {
      text: this.#machine.journal(from),
      resumes: (text) => this.#machine.resumes(text, from),
      size: this.#offer?.size,
    };
  }

  /** The sender waits from now on, as long as it takes. */
  prepare(): void {
    if (this.over) return;
    const text = nativeAgentCall(() => this.#machine.prepare());
    void this.#conversation.say(text);
  }

  /** Resolves with where the sender begins; `undefined`: it is over. `sha256` is that of what is there. */
  async accept(offset: number, sha256: string): Promise<number | undefined> {
    const text = nativeAgentCall(() => this.#machine.accept(offset, offset > 0 ? sha256 : null));
    void this.#conversation.say(text);
    while (this.#start === undefined && !this.over) await this.#change();
    return this.#start;
  }

  /** The next bytes; none at the end of the file; `undefined` if there is nothing more to come from this attempt. */
  async take(): Promise<Uint8Array[] | undefined> {
    while (this.#unwritten.length === 0) {
      if (this.#finished) return [];
      if (this.over) return undefined;
      await this.#change();
    }
    let count = 0;
    for (let bytes = 0; count < this.#unwritten.length && bytes < BATCH; count++)
      bytes += this.#unwritten[count]!.length;
    return this.#unwritten.splice(0, count);
  }

  /** The file is written up to this byte. */
  written(total: number): void {
    if (!this.over) void this.#conversation.say(this.#machine.written(total));
  }

  /** Whether the file is what was sent: the last word to the sender, or what is wrong. */
  complete(sha256: string): string | AgentError {
    const verdict = nativeAgentCall(() => this.#machine.complete(sha256));
    const event = JSON.parse(verdict) as { text?: string; error: unknown; tell: string | null };
    if (event.text !== undefined) return event.text;
    this.#conversation.finish(event.tell);
    return errorFromJson(JSON.stringify(event.error));
  }

  /** Says the last word; the sender closes the channel. */
  async leave(last: string): Promise<void> {
    await this.#conversation.leave(last);
    this.#machine.end();
  }

  /** Gives up and tells the sender. */
  abort(error: AgentError): void {
    this.#conversation.abort(error);
    this.#unwritten = [];
    this.#wake();
  }

  /** Another reception takes its place: what happens on this channel does not matter any more. */
  drop(): void {
    this.#dropped = true;
    this.#conversation.finish();
    this.#wake();
  }

  #event(event: MachineEvent): void {
    if (event.kind === 'offer') {
      this.#offer = event.offer as Offer;
      this.#handlers.offered(this, this.#offer);
    } else if (event.kind === 'start') this.#start = event.offset as number;
    else if (event.kind === 'finish') this.#finished = true;
    this.#wake();
  }

  #data(data: ArrayBuffer): void {
    const failure = this.#machine.data(data.byteLength);
    if (failure !== null) {
      this.#unwritten = [];
      this.#conversation.handle(failure);
      return;
    }
    this.#unwritten.push(new Uint8Array(data));
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}
