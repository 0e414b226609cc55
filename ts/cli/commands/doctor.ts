import {
  advice,
  checkCandidates,
  checkLoopback,
  checkNat,
  checkNetwork,
  checkPort,
  checkRelays,
  checkSignaling,
  checkTcp,
  found,
  missingLibrary,
  reach,
  SKEW_LIMIT,
  untested,
  urlsOf,
  verdicts,
  type Check,
  type Findings,
  type Reach,
  type Status,
  type Verdict,
} from '../doctor';
import { CONNECTION, iceServersOf, readText, signalingOf } from '../options';
import { EXIT, harmless, type Output } from '../output';
import { defineCommand, type Context } from '../parsing';

const OPTIONS = {
  signaling: CONNECTION.signaling,
  tokenFile: CONNECTION.tokenFile,
  ice: CONNECTION.ice,
  iceFile: CONNECTION.iceFile,
  ca: CONNECTION.ca,
  port: {
    type: 'number',
    min: 1,
    max: 65_535,
    help: 'The port that agents here listen at (transport.listen), to see whether it is reached. Default: a free one.',
  },
  wait: { type: 'duration', short: 'W', default: 5000, min: 100, max: 60_000, help: 'Time for each answer.' },
} as const;

type DoctorContext = Context<typeof OPTIONS>;

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Find out what works on this network, and what to do about the rest',
  description:
    'Looks at the interfaces and candidates of this machine, sends data over a connection with itself, asks the STUN and TURN ' +
    'servers that are given (TURN by UDP, TCP and TLS), finds out what the NAT does (RFC 5780: two STUN servers at different ' +
    'addresses are best), sends a message through the signaling server, and looks at ICE over TCP and at one port for all connections, which a TURN server that works tries to reach from outside. Then it says in plain words who can be reached, and ' +
    'what to do. Nobody is asked but the servers that are given. Ends with 1 if something that was given does not work.',
  positionals: [],
  options: OPTIONS,
  examples: [
    ['doctor', 'This machine alone'],
    [
      'doctor --signaling wss://example.com --ice stun:stun1.example.com --ice stun:stun2.example.com',
      'The network as well',
    ],
    ['doctor --ice-file servers.json --json', 'With TURN servers and their passwords, for a program'],
  ],
  async run(context) {
    const { values, out, signal } = context;
    const iceServers = await iceServersOf(values.ice, values.iceFile);
    const ca = values.ca === undefined ? undefined : await readText(values.ca);
    const report = new Report(out, signal);
    const missing = await missingLibrary();
    if (missing) return await withoutLibrary(report, missing, values.wait);
    // A wrong URL is an error of usage, before anything is tested.
    for (const url of values.signaling) await signalingOf({ ...values, signaling: [url] }, ca);
    const findings = await examine(report, context, iceServers, ca);
    conclude(out, verdicts(findings), advice(findings), reach(findings));
    return report.end();
  },
});

/** What can be seen without the library, and that the rest cannot. */
async function withoutLibrary(
  report: Report,
  { check, todo }: NonNullable<Awaited<ReturnType<typeof missingLibrary>>>,
  wait: number,
): Promise<number> {
  await report.section('This machine', async () => {
    const { checks } = await checkNetwork(Math.min(wait, 1000));
    return { checks: [check, ...checks] };
  });
  const why = 'the native library is missing';
  const tests = { loopback: 'a connection with itself', signaling: 'signaling', stun: 'STUN and NAT', turn: 'TURN' };
  await report.section('Connections', () => {
    const checks = Object.entries(tests).map(([name, what]) => found(name, 'skip', `${what}: not tested, ${why}`));
    return Promise.resolve({ checks });
  });
  conclude(report.out, untested(why), [todo]);
  return report.end();
}

async function examine(
  report: Report,
  { values }: DoctorContext,
  given: Awaited<ReturnType<typeof iceServersOf>>,
  ca: string | undefined,
): Promise<Findings> {
  const { wait } = values;
  const network = await report.section('This machine', () => checkNetwork(Math.min(wait, 1000)));
  const loopback = await report.section('Connection with itself', async () => {
    const [udp, tcp] = [await checkLoopback(wait), await checkTcp(wait)];
    return { checks: [...udp.checks, ...tcp.checks], works: udp.works };
  });
  const meetings = [];
  for (const url of values.signaling) {
    const open = () => signalingOf({ ...values, signaling: [url] }, ca);
    meetings.push(await report.section('Signaling', () => checkSignaling(url, open, ca, wait)));
  }
  // What the service hands out is what agents will use.
  const offered = meetings.flatMap(({ iceServers }) => iceServers);
  const servers = [...given, ...offered];
  const urls = urlsOf(given, offered);
  await report.section('Candidates', async () => ({ checks: await checkCandidates(servers, ca, wait) }));
  const { nat } = await report.section('STUN and NAT', () => checkNat(urls, wait));
  const { relays } = await report.section('TURN', () => checkRelays(urls, ca, wait));
  const mapped = nat?.seen.find((seen) => seen.mapped)?.mapped?.address;
  const { port } = await report.section('One port', () => checkPort({ port: values.port, relays, mapped, ca }, wait));
  return {
    loopback: loopback.works,
    addresses: network.addresses,
    ipv6: network.ipv6,
    relays,
    ...(nat ? { nat } : {}),
    ...(port ? { port } : {}),
    ...(meetings.length > 0 ? { signaling: meetings.some(({ works }) => works) } : {}),
    wrongClock: meetings.some(({ ahead = 0 }) => Math.abs(ahead) > SKEW_LIMIT),
  };
}

const MARKS: Readonly<Record<Status, readonly [text: string, colour: 'green' | 'yellow' | 'red' | 'dim']>> = {
  ok: ['ok   ', 'green'],
  warn: ['warn ', 'yellow'],
  fail: ['FAIL ', 'red'],
  skip: ['-    ', 'dim'],
};

/** Prints findings as they come. */
class Report {
  failed = false;

  constructor(
    readonly out: Output,
    readonly signal: AbortSignal,
  ) {}

  async section<T extends { checks: Check[] }>(title: string, examine: () => Promise<T>): Promise<T> {
    const { out } = this;
    this.signal.throwIfAborted();
    out.status(`${title}...`);
    const result = await examine();
    this.signal.throwIfAborted();
    out.clearStatus();
    if (!out.json) out.stdout.write(`${out.paint('bold', title)}\n`);
    for (const { check, status, text, facts } of result.checks) {
      if (status === 'fail') this.failed = true;
      const [mark, colour] = MARKS[status];
      out.result({ type: 'check', check, status, text, ...facts }, `  ${out.paint(colour, mark)} ${harmless(text)}`);
    }
    return result;
  }

  /** The last line, and the exit code. */
  end(): number {
    this.out.result({ type: 'summary', ok: !this.failed });
    return this.failed ? EXIT.failed : EXIT.ok;
  }
}

const ANSWERS: Readonly<
  Record<Verdict['answer'], readonly [text: string, colour: 'green' | 'yellow' | 'red' | 'dim']>
> = {
  yes: ['yes  ', 'green'],
  perhaps: ['maybe', 'yellow'],
  no: ['no   ', 'red'],
  unknown: ['?    ', 'dim'],
};

function conclude(out: Output, list: readonly Verdict[], todo: readonly string[], ways?: Reach): void {
  if (!out.json) out.stdout.write(`${out.paint('bold', 'What works')}\n`);
  for (const { who, answer, text } of list) {
    const [mark, colour] = ANSWERS[answer];
    out.result({ type: 'verdict', who, answer, text }, `  ${out.paint(colour, mark)} ${harmless(text)}`);
  }
  if (ways) {
    const { udp, port, relay, text } = ways;
    if (!out.json) out.stdout.write(`${out.paint('bold', 'How agents here are reached')}\n`);
    out.result({ type: 'reach', udp, port, relay, text }, `  ${harmless(text)}`);
  }
  if (todo.length === 0) return;
  if (!out.json) out.stdout.write(`${out.paint('bold', 'What to do')}\n`);
  for (const text of todo) out.result({ type: 'advice', text }, `  - ${harmless(text)}`);
}
