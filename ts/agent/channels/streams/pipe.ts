// What streams of every kind need of a channel, and the pipe of a plain one.
import { AgentError, messageOf } from '../../../base';
import type { RTCDataChannel } from '../../../w3c';
import type { ChannelData, ChannelPayload } from '../types';

/** A channel as far as its streams know it. */
export interface StreamedChannel extends AsyncIterable<ChannelData> {
  readonly label: string;
  readonly protocol: string;
  readonly state: string;
  readonly opened: Promise<void>;
  readonly closed: Promise<void>;
  /** How it delivers. */
  readonly dataChannel: Pick<RTCDataChannel, 'ordered' | 'maxRetransmits' | 'maxPacketLifeTime'>;
  on(event: 'message', listener: (data: ChannelData) => void): unknown;
  on(event: 'close', listener: (error?: AgentError) => void): unknown;
  send(data: ChannelPayload, options?: { signal?: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}

/** One message as streams deliver it. */
export type StreamChunk = Uint8Array | string;

/** A channel as a pair of directions, each with an end and an error of its own where the protocol has them. */
export interface Pipe {
  /** Whether one direction may end while the other goes on. */
  readonly halfClose: boolean;
  /** Resolves with the reason when nothing can be written any more although nobody has ended it here. */
  readonly broken: Promise<unknown>;
  /** The next message; `undefined` at the end. One call at a time. */
  read(): Promise<StreamChunk | undefined>;
  /** Resolves when there is room for more. */
  write(data: ChannelPayload, signal?: AbortSignal): Promise<void>;
  /** No more will be written. */
  end(): Promise<void>;
  /** Writing has failed. */
  abort(reason: unknown): void;
  /** Nobody will read any more. */
  stop(reason: unknown): void;
}

/** What a reader or writer was given as its reason, as an error that can travel. */
export function asAgentError(reason: unknown, what: string): AgentError {
  if (reason instanceof AgentError) return reason;
  const text = reason === undefined || reason === null ? what : `${what}: ${messageOf(reason)}`;
  return new AgentError('TASK_CANCELLED', text, { cause: reason });
}

/**
 * The pipe of a plain channel. Data channels have no end of one direction and carry no reasons: ending, aborting or
 * cancelling either side closes the channel, as with WebSocket streams.
 */
export class PlainPipe implements Pipe {
  readonly halfClose = false;
  readonly broken: Promise<unknown>;
  readonly #channel: StreamedChannel;
  readonly #messages: AsyncIterator<string | ArrayBuffer>;

  constructor(channel: StreamedChannel) {
    this.#channel = channel;
    this.#messages = channel[Symbol.asyncIterator]();
    let failure: AgentError | undefined;
    channel.on('close', (error) => (failure = error));
    this.broken = channel.closed.then(() => {
      const text = `the channel "${channel.label}" is closed`;
      return failure ?? new AgentError('AGENT_UNREACHABLE', text, { retryable: true });
    });
  }

  async read(): Promise<StreamChunk | undefined> {
    const next = await this.#messages.next();
    if (next.done) return undefined;
    return typeof next.value === 'string' ? next.value : new Uint8Array(next.value);
  }

  async write(data: ChannelPayload, signal?: AbortSignal): Promise<void> {
    await this.#channel.opened;
    await this.#channel.send(data, { signal });
  }

  /** Closing lets everything out first. */
  end(): Promise<void> {
    return this.#channel.close();
  }

  abort(): void {
    void this.#channel.close();
  }

  stop(): void {
    void this.#messages.return?.();
    void this.#channel.close();
  }
}
