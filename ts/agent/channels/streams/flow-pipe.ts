// The pipe of a channel whose protocol is `ossa-stream`: flow control by credit, an end and an error per direction.
//
// Binary messages are data. Text messages are one letter and a rest: `d` text data, `c` how much the reader has taken
// and granted in total, `e` the end, `x` an error of the writer, `s` the reader has stopped.
import { Blob } from '../../../platform';
import { AgentError, onAbort } from '../../../base';
import type { ChannelData, ChannelPayload } from '../types';
import { asAgentError, type Pipe, type StreamChunk, type StreamedChannel } from './pipe';

/** The subprotocol of channels that are used as streams on both sides, with flow control and half-close. */
export const STREAM_PROTOCOL = 'ossa-stream';

/** What a writer may have on its way to a reader; part of the protocol. One message may go beyond it. */
const WINDOW = 1024 * 1024;

/** What a message costs besides its bytes, so that empty ones cannot fill the memory of a reader. */
const OVERHEAD = 64;

/** The reader grants more when this much has been taken: four messages a window are little traffic. */
const GRANT = WINDOW / 4;

/** Reasons are for people; nobody needs more of them. */
const MAX_REASON = 1024;

/** A channel of protocol {@link STREAM_PROTOCOL}. */
export class FlowPipe implements Pipe {
  readonly halfClose = true;
  readonly broken: Promise<unknown>;
  readonly #channel: StreamedChannel;
  /** Received and not read: at most the window and one message. */
  readonly #unread: StreamChunk[] = [];
  #received = 0;
  #taken = 0;
  #granted = WINDOW;
  #sent = 0;
  #allowed = WINDOW;
  #inputDone = false;
  #outputDone = false;
  #readError: Error | undefined;
  #writeError: Error | undefined;
  #wakeReader: () => void = () => undefined;
  #wakeWriter: () => void = () => undefined;
  #break!: (reason: unknown) => void;

  constructor(channel: StreamedChannel) {
    const { ordered, maxRetransmits, maxPacketLifeTime } = channel.dataChannel;
    if (!ordered || maxRetransmits !== null || maxPacketLifeTime !== null) {
      throw new TypeError(`a channel of protocol "${STREAM_PROTOCOL}" must be ordered and reliable`);
    }
    this.#channel = channel;
    this.broken = new Promise((resolve) => (this.#break = resolve));
    channel.on('message', (data) => this.#receive(data));
    const lost = (error?: AgentError) => {
      const text = `the channel "${channel.label}" was closed before its stream had ended`;
      this.#fail(error ?? new AgentError('AGENT_UNREACHABLE', text, { retryable: true }));
    };
    if (channel.state === 'closed') lost();
    else channel.on('close', lost);
  }

  async read(): Promise<StreamChunk | undefined> {
    while (this.#unread.length === 0 && !this.#inputDone) {
      await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
    // After an error what came before it is of no use: the writer has taken it back.
    if (this.#readError !== undefined) throw this.#readError;
    const chunk = this.#unread.shift();
    if (chunk !== undefined) this.#took(costOf(chunk));
    return chunk;
  }

  async write(data: ChannelPayload, signal?: AbortSignal): Promise<void> {
    await this.#channel.opened;
    const bytes = data instanceof Blob ? await data.arrayBuffer() : data;
    const end = onAbort(signal, () => this.#wakeWriter());
    try {
      while (this.#sent >= this.#allowed && this.#writeError === undefined && !signal?.aborted) {
        await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
      }
    } finally {
      end();
    }
    if (this.#writeError !== undefined) throw this.#writeError;
    this.#sent += costOf(bytes);
    await this.#channel.send(typeof bytes === 'string' ? `d${bytes}` : bytes, { signal });
  }

  async end(): Promise<void> {
    if (this.#outputDone) return;
    await this.#channel.opened;
    await this.#channel.send('e');
    this.#finishOutput();
  }

  abort(reason: unknown): void {
    if (this.#outputDone) return;
    const error = asAgentError(reason, 'the writer has given up');
    this.#tell('x', error);
    this.#writeError ??= error;
    this.#finishOutput();
  }

  stop(reason: unknown): void {
    if (this.#inputDone && this.#unread.length === 0) return;
    const error = asAgentError(reason, 'the reader has stopped');
    if (!this.#inputDone) this.#tell('s', error);
    this.#unread.length = 0;
    this.#finishInput(error);
  }

  #receive(data: ChannelData): void {
    // Late data of a direction that is over: the other side did not know yet.
    if (typeof data !== 'string') this.#push(new Uint8Array(data));
    else if (data.startsWith('d')) this.#push(data.slice(1));
    else if (data.startsWith('c')) this.#credited(Number(data.slice(1)));
    else if (data === 'e') this.#finishInput(undefined);
    else if (data.startsWith('x')) this.#finishInput(errorOf(data));
    else if (data.startsWith('s')) this.#stopped(errorOf(data));
    else this.#violated(`a message that begins with ${JSON.stringify(data.slice(0, 1))}`);
  }

  #push(chunk: StreamChunk): void {
    if (this.#inputDone) return;
    if (this.#received >= this.#granted) return this.#violated('more data than was granted');
    this.#received += costOf(chunk);
    this.#unread.push(chunk);
    this.#wakeReader();
  }

  #took(cost: number): void {
    this.#taken += cost;
    if (this.#inputDone || this.#taken + WINDOW - this.#granted < GRANT) return;
    this.#granted = this.#taken + WINDOW;
    this.#send(`c${this.#granted}`);
  }

  #credited(total: number): void {
    // Granting more than a window beyond what was sent would be no flow control at all.
    if (!Number.isSafeInteger(total) || total < this.#allowed || total > this.#sent + WINDOW) {
      return this.#violated('a credit that cannot be');
    }
    this.#allowed = total;
    this.#wakeWriter();
  }

  #stopped(error: AgentError): void {
    if (this.#outputDone) return;
    this.#writeError ??= error;
    this.#break(error);
    this.#finishOutput();
  }

  /** The other side does not keep to the protocol: nothing it says can be relied on. */
  #violated(what: string): void {
    this.#fail(new AgentError('PROTOCOL_ERROR', `the other side of "${this.#channel.label}" has sent ${what}`));
    void this.#channel.close();
  }

  #fail(error: AgentError): void {
    if (!this.#outputDone) {
      this.#writeError ??= error;
      this.#break(error);
      this.#finishOutput();
    }
    this.#finishInput(error);
  }

  #finishInput(error: Error | undefined): void {
    if (this.#inputDone) return;
    this.#inputDone = true;
    this.#readError = error;
    this.#wakeReader();
    this.#closeWhenDone();
  }

  #finishOutput(): void {
    this.#outputDone = true;
    this.#wakeWriter();
    this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#inputDone && this.#outputDone) void this.#channel.close();
  }

  #tell(letter: 'x' | 's', { code, message }: AgentError): void {
    this.#send(letter + JSON.stringify({ code, message: message.slice(0, MAX_REASON) }));
  }

  /** Not awaited: there is at most one such message for each quarter of a window that was received. */
  #send(text: string): void {
    this.#channel.send(text).catch(() => undefined);
  }
}

function costOf(data: string | ArrayBuffer | ArrayBufferView): number {
  return (typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength) + OVERHEAD;
}

function errorOf(data: string): AgentError {
  try {
    const { code, message } = JSON.parse(data.slice(1)) as Record<string, unknown>;
    if (typeof code === 'string' && typeof message === 'string') return new AgentError(code, message);
  } catch {
    // Not even JSON.
  }
  return new AgentError('PROTOCOL_ERROR', 'the other side has given up without a valid reason');
}
