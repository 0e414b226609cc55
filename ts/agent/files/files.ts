// The files of one link, both ways.
import { clearTimeout, setTimeout } from '../../platform';
import { AgentError, cancelled, Inbox, onAbort } from '../../base';
import type { AgentChannel, Priority } from '../channels';
import type { ResolvedLimits } from '../limits';
import { traced, type AgentTracing } from '../tracing';
import type { Offer } from './offer';
import { IncomingFile, type ReceivedFile } from './receive';
import { Reception } from './reception';
import { OutgoingFile, type SendFileOptions } from './send';

/** The feature that agents which take files announce in their hello. */
export const FILES_FEATURE = 'files';

/** How long `sendFile` waits for the other side to say that it knows files. It does as soon as it is connected. */
const HELLO_TIMEOUT = 5000;

/** How long the application may take to answer an offer, in milliseconds; less if the sender waits less. */
const ANSWER_TIMEOUT = 10 * 60_000;

/** How long a sender may stay away while its link is open. It comes back at once if it comes back at all. */
const SUSPENDED = 30_000;

/** Files that have arrived and are remembered. Their senders come back at once if they come back at all. */
const MAX_COMPLETED = 64;

/** Offers that wait for a slow iterator; more are refused. */
const UNREAD_FILES = { items: 64, bytes: Infinity };

/** What the files need of their link. */
export interface FilesHost {
  readonly remote: string;
  readonly limits: Pick<ResolvedLimits, 'incomingFiles' | 'fileWindow'>;
  /** Watches the transfers, both ways. */
  readonly tracing: AgentTracing | undefined;
  /** `'closed'` is final. */
  readonly state: string;
  maxMessageSize(): number;
  /** Whether the other side has announced this feature; `undefined` as long as it has announced nothing. */
  supports(feature: string): boolean | undefined;
  /** Waits while the link is being brought back. @throws AgentError - It is closed for good. */
  usable(signal: AbortSignal): Promise<void>;
  createChannel(priority: Priority, signal: AbortSignal): Promise<AgentChannel>;
  /** Why the link is of no use. */
  gone(): AgentError;
  /** Offers the file to whoever listens beyond the link. False: nobody does. */
  offer(file: IncomingFile): boolean;
  problem(error: AgentError): void;
}

/** All transfers of a link. */
export class Files {
  /** Offered by the other side and not looked at yet. */
  readonly incoming = new Inbox<IncomingFile>(UNREAD_FILES);
  readonly #host: FilesHost;
  readonly #receiving = new Map<string, IncomingFile>();
  readonly #suspended = new Map<IncomingFile, NodeJS.Timeout | undefined>();
  /** The latest that have arrived, by id, for senders that did not hear that they have. */
  readonly #completed = new Map<string, ReceivedFile>();
  /** Channels on which no offer has come yet. */
  #arriving = 0;
  /** Told when the state of the link or what is known about the other side has changed. */
  #waiting = new Set<() => void>();

  constructor(host: FilesHost) {
    this.#host = host;
  }

  /** Begins to send a file. */
  send(source: unknown, options?: SendFileOptions): OutgoingFile {
    const host = this.#host;
    return new OutgoingFile(
      {
        remote: host.remote,
        tracing: host.tracing,
        maxMessageSize: () => host.maxMessageSize(),
        supported: (signal) => this.#supported(signal),
        usable: (signal) => host.usable(signal),
        createChannel: async (priority, signal) => await host.createChannel(priority, signal),
      },
      source,
      options,
    );
  }

  /** The other side has opened a channel for a file. */
  announced(channel: AgentChannel): void {
    const { limits } = this.#host;
    if (this.#arriving + this.#receiving.size >= limits.incomingFiles) {
      const text = `${limits.incomingFiles} files are being received from ${this.#host.remote}; another was refused`;
      this.#host.problem(new AgentError('RATE_LIMIT_EXCEEDED', text));
      refuse(channel, limits);
      return;
    }
    this.#arriving++;
    let file: IncomingFile | undefined;
    let arriving = true;
    const arrived = () => {
      if (arriving) this.#arriving--;
      arriving = false;
    };
    new Reception(channel, limits.fileWindow, ANSWER_TIMEOUT, {
      offered: (reception, offer) => {
        arrived();
        file = this.#offered(reception, offer);
      },
      failed: (error, byRemote) => {
        arrived();
        // Whoever has given up on purpose, or sent something else, does not come back for the rest.
        file?.end(error, !(byRemote && error.code === 'TASK_CANCELLED') && error.code !== 'PROTOCOL_ERROR');
        if (!file && !byRemote) this.#host.problem(error);
      },
      lost: () => {
        arrived();
        if (file && !file.settled) this.#suspend(file);
      },
    });
  }

  #watch({ id, size, done }: IncomingFile, offer: Offer): void {
    const work = this.#host.tracing?.receiving(this.#host.remote, id, offer);
    if (!work) return;
    if (size !== undefined) work.size(size);
    traced(work, done).catch(() => undefined);
  }

  /** The state of the link has changed, or the other side has announced its features. */
  changed(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
    if (this.#host.state === 'closed') {
      for (const file of [...this.#receiving.values()]) file.end(this.#host.gone(), true);
      this.incoming.end();
    } else {
      for (const file of this.#suspended.keys()) this.#patience(file);
    }
  }

  #offered(reception: Reception, offer: Offer): IncomingFile | undefined {
    const completed = this.#completed.get(offer.id);
    if (completed) {
      void confirm(reception, completed);
      return undefined;
    }
    const known = this.#receiving.get(offer.id);
    if (known && !known.is(offer)) {
      reception.abort(new AgentError('PROTOCOL_ERROR', 'another file was offered under this id'));
      return undefined;
    }
    if (known) {
      // The sender has lost the connection, perhaps before this side has noticed.
      clearTimeout(this.#suspended.get(known));
      this.#suspended.delete(known);
      known.resume(reception);
      return known;
    }
    let file: IncomingFile;
    try {
      file = new IncomingFile(offer, this.#host.remote, reception);
    } catch (error) {
      reception.abort(error as AgentError);
      return undefined;
    }
    this.#receiving.set(file.id, file);
    this.#watch(file, offer);
    const forget = () => {
      this.#receiving.delete(file.id);
      clearTimeout(this.#suspended.get(file));
      this.#suspended.delete(file);
    };
    file.done.then((received) => {
      forget();
      this.#remember(file.id, received);
    }, forget);
    this.#deliver(file);
    return file;
  }

  #remember(id: string, received: ReceivedFile): void {
    this.#completed.set(id, received);
    const [oldest] = this.#completed.keys();
    if (this.#completed.size > MAX_COMPLETED) this.#completed.delete(oldest!);
  }

  #deliver(file: IncomingFile): void {
    if (this.incoming.wanted) {
      if (this.incoming.push(file)) return;
      const text = `${UNREAD_FILES.items} files wait to be looked at`;
      file.end(new AgentError('RATE_LIMIT_EXCEEDED', text, { retryable: true }), true);
    } else if (!this.#host.offer(file)) {
      file.end(new AgentError('CAPABILITY_NOT_FOUND', 'this agent takes no files'), true);
    }
  }

  #suspend(file: IncomingFile): void {
    this.#suspended.set(file, undefined);
    this.#patience(file);
  }

  /** While the link is down its reconnection decides; once it is open the sender must come. */
  #patience(file: IncomingFile): void {
    clearTimeout(this.#suspended.get(file));
    if (this.#host.state !== 'open') return;
    const timer = setTimeout(() => {
      const text = 'the sender has left before the file was complete';
      file.end(new AgentError('AGENT_UNREACHABLE', text, { retryable: true }), true);
    }, SUSPENDED);
    this.#suspended.set(file, timer);
  }

  async #supported(signal: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(HELLO_TIMEOUT);
    while (this.#host.supports(FILES_FEATURE) === undefined && !late.aborted) {
      if (this.#host.state === 'closed') throw this.#host.gone();
      await this.#change(AbortSignal.any([signal, late]));
      if (signal.aborted) throw cancelled(signal, 'sending the file');
    }
    if (this.#host.supports(FILES_FEATURE)) return;
    const text = `${this.#host.remote} does not know how to receive files; send messages or use a channel`;
    throw new AgentError('CAPABILITY_NOT_FOUND', text);
  }

  /** Resolves when something has changed, or the signal fires. */
  async #change(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        end();
        this.#waiting.delete(wake);
        resolve();
      };
      const end = onAbort(signal, wake);
      this.#waiting.add(wake);
    });
  }
}

/** Tells the sender of one file too many, without waiting for what it offers. */
function refuse(channel: AgentChannel, { incomingFiles, fileWindow }: FilesHost['limits']): void {
  const nobody = () => undefined;
  const reception = new Reception(channel, fileWindow, ANSWER_TIMEOUT, {
    offered: nobody,
    failed: nobody,
    lost: nobody,
  });
  const text = `the receiver takes ${incomingFiles} files at a time; send it again when some have arrived`;
  reception.abort(new AgentError('RATE_LIMIT_EXCEEDED', text, { retryable: true }));
}

/** Tells a sender that comes back after the connection was lost at the very end that everything has arrived. */
async function confirm(reception: Reception, { bytes, sha256 }: ReceivedFile): Promise<void> {
  try {
    reception.prepare();
    const from = await reception.accept(bytes, sha256);
    if (from === undefined) return;
    if (from !== bytes) throw new AgentError('CAPABILITY_FAILED', 'the file has changed since it arrived');
    await reception.take();
    const last = reception.over ? undefined : reception.complete(sha256);
    if (typeof last === 'string') await reception.leave(last);
  } catch (error) {
    reception.abort(error as AgentError);
  }
}
