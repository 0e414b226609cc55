// Two ends of a connection, each in a process or browser of its own, and the signaling between them.
import { startStack } from '../../interop/process.cjs';

/** Something that answers the calls of `interop/w3c-driver.cjs`. */
export interface Driver {
  readonly label: string;
  call<T = unknown>(method: string, params?: object): Promise<T>;
  stop(): Promise<unknown>;
}

/** A message as the test orders it. */
export type Order = { kind: 'string'; text: string } | { kind: 'string' | 'binary'; size: number; seed?: number };

/** A message as both ends report it. */
export interface Summary {
  kind: 'string' | 'binary';
  bytes: number;
  digest: string;
}

/** A channel as one end shows it; a field that the stack's API lacks is undefined. */
export interface ChannelView {
  incoming: boolean;
  label: string;
  protocol: string;
  ordered?: boolean;
  maxRetransmits?: number | null;
  maxPacketLifeTime?: number | null;
  negotiated?: boolean;
  id?: number;
}

/** The pair in use. */
export interface Pair {
  local: { protocol: string; tcpType?: string };
  remote: { protocol: string; tcpType?: string };
}

/** Which candidates are told, and what each end is opened with. */
export interface LinkOptions {
  passes?: (candidate: string) => boolean;
  /** What is told instead of a candidate; undefined for nothing. */
  through?: (candidate: string) => Promise<string | undefined>;
  offerer?: object;
  answerer?: object;
}

interface Candidate {
  candidate?: { candidate: string } | null;
  /** The generation that it belongs to. */
  ufrag?: string;
  closed?: true;
}

let serial = 0;

/** One end of a connection. */
export class End {
  readonly pc = `connection ${serial++}`;
  /** The description that this end has sent last. */
  sdp = '';
  closed = false;
  constructor(readonly driver: Driver) {}

  /** A call of the driver, about this connection. */
  call<T = unknown>(method: string, params: object = {}): Promise<T> {
    return this.driver.call<T>(method, { pc: this.pc, ...params });
  }
  get stack(): string {
    return this.driver.label;
  }
  /** With settings that all stacks know, or that are only for one. */
  async open(config: object = {}): Promise<void> {
    await this.call('open', { config });
  }
  async createChannel(label: string, init: object = {}): Promise<void> {
    await this.call('createChannel', { label, init });
  }
  async createOffer(iceRestart: boolean): Promise<string> {
    this.sdp = (await this.call<{ sdp: string }>('createOffer', { iceRestart })).sdp;
    return this.sdp;
  }
  async acceptOffer(sdp: string): Promise<string> {
    this.sdp = (await this.call<{ sdp: string }>('acceptOffer', { sdp })).sdp;
    return this.sdp;
  }
  async acceptAnswer(sdp: string): Promise<void> {
    await this.call('acceptAnswer', { sdp });
  }
  nextCandidate(): Promise<Candidate> {
    return this.call('nextCandidate');
  }
  async addCandidate(candidate: object | null): Promise<void> {
    await this.call('addCandidate', { candidate });
  }
  waitOpen(label: string): Promise<ChannelView> {
    return this.call('waitOpen', { label });
  }
  send(label: string, messages: Order[]): Promise<Summary[]> {
    return this.call('send', { label, messages });
  }
  receive(label: string, count: number): Promise<Summary[]> {
    return this.call('receive', { label, count });
  }
  selectedPair(): Promise<Pair | null> {
    return this.call('selectedPair');
  }
  async closeChannel(label: string): Promise<void> {
    await this.call('closeChannel', { label });
  }
  async waitClosed(label: string): Promise<void> {
    await this.call('waitClosed', { label });
  }
  /** Until the channel is closed, or the connection is known to be interrupted. */
  async waitLost(label: string): Promise<void> {
    await this.call('waitLost', { label });
  }
  async close(): Promise<void> {
    this.closed = true;
    await this.call('closePeer');
  }

  /** The largest message that this end takes: its `a=max-message-size`, 64 KiB without one (RFC 8841, section 6.1). */
  get maxMessageSize(): number {
    const line = /^a=max-message-size:(\d+)/m.exec(this.sdp);
    const size = line ? Number(line[1]) : 65_536;
    return size === 0 ? Infinity : size;
  }
  /** The ICE user name fragment of this end's last description. */
  get ufrag(): string | undefined {
    return /^a=ice-ufrag:(\S+)/m.exec(this.sdp)?.[1];
  }
}

/** A connection between two ends, trickling candidates both ways. */
export class Link {
  private negotiated: Promise<void> = Promise.resolve();
  private pumping = false;
  /** A candidate that the other side refused: fails the next negotiation's check. */
  private readonly failures: Error[] = [];

  private constructor(
    readonly offerer: End,
    readonly answerer: End,
    private readonly passes: (candidate: string) => boolean,
    private readonly through: (candidate: string) => Promise<string | undefined>,
  ) {}

  static async create(offerer: Driver, answerer: Driver, options: LinkOptions = {}): Promise<Link> {
    const { passes = () => true, through = (candidate) => Promise.resolve(candidate) } = options;
    const link = new Link(new End(offerer), new End(answerer), passes, through);
    await Promise.all([link.offerer.open(options.offerer), link.answerer.open(options.answerer)]);
    return link;
  }

  /** One round of offer and answer, from either end. */
  async negotiate(from = this.offerer, to = this.answerer, iceRestart = false): Promise<void> {
    let done!: () => void;
    this.negotiated = new Promise((resolve) => (done = resolve));
    if (!this.pumping) {
      this.pumping = true;
      void this.pump(from, to);
      void this.pump(to, from);
    }
    try {
      const answer = await to.acceptOffer(this.told(await from.createOffer(iceRestart)));
      await from.acceptAnswer(this.told(answer));
    } finally {
      done();
    }
  }

  /** A description without the candidates that are kept back. */
  private told(sdp: string): string {
    return sdp.replace(/^a=(candidate:.*)\r\n/gm, (line, candidate: string) => (this.passes(candidate) ? line : ''));
  }

  // Candidates wait for the descriptions that they belong to.
  private async pump(from: End, to: End): Promise<void> {
    try {
      for (;;) {
        const next = await from.nextCandidate();
        if (next.closed) return;
        await this.negotiated;
        // What is left from before an ICE restart is of no use, and an error for some.
        if (next.ufrag !== from.ufrag) continue;
        if (next.candidate) await this.tell(to, next.candidate);
        else await to.addCandidate(null);
      }
    } catch (error) {
      if (!from.closed && !to.closed) this.failures.push(error as Error);
    }
  }

  private async tell(to: End, told: { candidate: string }): Promise<void> {
    const candidate = this.passes(told.candidate) ? await this.through(told.candidate) : undefined;
    if (candidate !== undefined) await to.addCandidate({ ...told, candidate });
  }

  /** Connects with one channel called `label`, open on both sides. */
  async connect(label = 'first', init: object = {}): Promise<this> {
    await this.offerer.createChannel(label, init);
    await this.negotiate();
    await Promise.all([this.offerer.waitOpen(label), this.answerer.waitOpen(label)]);
    return this;
  }

  /** Sends messages one way; both ends' reports of them. */
  async transfer(
    from: End,
    to: End,
    label: string,
    messages: Order[],
  ): Promise<{ sent: Summary[]; received: Summary[] }> {
    const [sent, received] = await Promise.all([from.send(label, messages), to.receive(label, messages.length)]);
    return { sent, received };
  }

  /** Both ends, the one that runs `stack` first. */
  endsFrom(stack: string): [End, End] {
    return this.offerer.stack === stack ? [this.offerer, this.answerer] : [this.answerer, this.offerer];
  }

  /** Ends both sides; reports candidates that a side refused while the connection lived. */
  async close(): Promise<void> {
    const failures = [...this.failures];
    await Promise.allSettled([this.offerer.close(), this.answerer.close()]);
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
  }
}

/** A Node stack or one of the Rust stacks in a process of its own. */
export function startProcess(stack: string): Promise<Driver> {
  return Promise.resolve(startStack(stack));
}
