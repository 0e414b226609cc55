// What is told of a program at one moment.

/** What is looked at of a link. */
export interface InspectedLink {
  readonly state: string;
  readonly remote: { readonly agentId: string; readonly authenticated: boolean };
  getStats(): Promise<Iterable<[string, object]>>;
}

/** An agent that may be inspected. */
export interface Inspectable {
  readonly agentId: string;
  readonly links: ReadonlyMap<string, InspectedLink>;
}

/** One end of the path in use, by the names of webrtc-stats. */
export interface PathEndSnapshot {
  readonly candidateType: string;
  readonly protocol: string;
  readonly address?: string;
  readonly port?: number;
  /** How this end reaches its TURN server, if it uses one. */
  readonly relayProtocol?: string;
}

/** A link. Counts begin anew when its connection is rebuilt. */
export interface LinkSnapshot {
  readonly agent: string;
  readonly state: string;
  readonly authenticated: boolean;
  readonly local?: PathEndSnapshot;
  readonly remote?: PathEndSnapshot;
  /** Round trip of the last connectivity check, in milliseconds. */
  readonly rtt?: number;
  /** Of the transport: what UDP or TCP has carried. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Of all channels that are open. */
  readonly messagesSent: number;
  readonly messagesReceived: number;
}

/** An agent with its links. */
export interface AgentSnapshot {
  readonly agent: string;
  readonly links: readonly LinkSnapshot[];
  /** Links that are left out, because there are so many. */
  readonly more: number;
}

/** A program. */
export interface ProgramSnapshot {
  readonly type: 'snapshot';
  readonly pid: number;
  readonly title: string;
  /** Milliseconds since the program was started. */
  readonly uptime: number;
  /** Milliseconds on a clock that only goes forward, to make rates of counts. */
  readonly at: number;
  readonly agents: readonly AgentSnapshot[];
}

/** Links of an agent that are told of: more than a terminal shows, and each is asked for its statistics. */
const MAX_LINKS = 1000;

/** All agents with their links. */
export async function snapshotOf(agents: Iterable<Inspectable>, title: string): Promise<ProgramSnapshot> {
  const told = await Promise.all([...agents].map(agentSnapshot));
  const uptime = Math.round(process.uptime() * 1000);
  return { type: 'snapshot', pid: process.pid, title, uptime, at: performance.now(), agents: told };
}

async function agentSnapshot({ agentId, links }: Inspectable): Promise<AgentSnapshot> {
  const shown = [...links.values()].slice(0, MAX_LINKS);
  const told = await Promise.all(shown.map(linkSnapshot));
  return { agent: agentId, links: told, more: links.size - shown.length };
}

type Stats = Readonly<Record<string, unknown>>;

async function linkSnapshot(link: InspectedLink): Promise<LinkSnapshot> {
  // A link that is just closing has none any more.
  const stats = new Map<string, Stats>(
    await link.getStats().then(
      (report) => [...report] as [string, Stats][],
      () => [],
    ),
  );
  const transport = [...stats.values()].find(({ type }) => type === 'transport');
  const pair = stats.get(String(transport?.['selectedCandidatePairId']));
  const [local, remote] = ['localCandidateId', 'remoteCandidateId'].map((end) =>
    pathEnd(stats.get(String(pair?.[end]))),
  );
  const rtt = pair?.['currentRoundTripTime'];
  const channels = [...stats.values()].filter(({ type }) => type === 'data-channel');
  const sum = (name: string) => channels.reduce((total, channel) => total + count(channel[name]), 0);
  return {
    agent: link.remote.agentId,
    state: link.state,
    authenticated: link.remote.authenticated,
    ...(local ? { local } : {}),
    ...(remote ? { remote } : {}),
    ...(typeof rtt === 'number' ? { rtt: rtt * 1000 } : {}),
    bytesSent: count(transport?.['bytesSent']),
    bytesReceived: count(transport?.['bytesReceived']),
    messagesSent: sum('messagesSent'),
    messagesReceived: sum('messagesReceived'),
  };
}

const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

function pathEnd(candidate: Stats | undefined): PathEndSnapshot | undefined {
  if (!candidate) return undefined;
  const { candidateType, protocol, address, port, relayProtocol } = candidate;
  return {
    candidateType: String(candidateType),
    protocol: String(protocol),
    ...(typeof address === 'string' ? { address } : {}),
    ...(typeof port === 'number' ? { port } : {}),
    ...(typeof relayProtocol === 'string' ? { relayProtocol } : {}),
  };
}
