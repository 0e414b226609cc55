// Tests with real connections: what this host can gather, whether data gets through, and whether relays work.
import type {
  ConnectCause,
  RTCConfiguration,
  RTCIceCandidate,
  RTCPeerConnection,
  RTCSessionDescriptionInit,
} from '../../index';
import type { ServerUrl } from './servers';

/** Candidates of this host. */
export interface Gathered {
  readonly candidates: readonly RTCIceCandidate[];
  /** Servers that did not help, and failures of this machine. */
  readonly causes: readonly ConnectCause[];
  /** Not all servers have answered in time. */
  readonly incomplete: boolean;
}

type Stop = (candidate: RTCIceCandidate) => boolean;

/** Gathers until everything is there, the time is over, or `enough` says so. */
export async function gather(configuration: RTCConfiguration, timeout: number, enough?: Stop): Promise<Gathered> {
  const { connectionCauses, RTCPeerConnection } = await import('../../index.js');
  const connection = new RTCPeerConnection(configuration);
  const candidates: RTCIceCandidate[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    const complete = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeout);
      connection.onicecandidate = ({ candidate }) => {
        if (!candidate) return resolve(true);
        if (candidate.candidate === '') return;
        candidates.push(candidate);
        if (enough?.(candidate)) resolve(true);
      };
    });
    connection.createDataChannel('doctor');
    await connection.setLocalDescription();
    const incomplete = !(await complete);
    return { candidates, causes: connectionCauses(connection), incomplete };
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}

/** Whether a candidate is told to the other side. */
type Passes = (candidate: RTCIceCandidate) => boolean;

/**
 * Two connections of this process, one message there and back; milliseconds of that round trip, and of the connecting.
 *
 * @throws DOMException - A connection cannot be made: a port is taken.
 */
export async function exchange(
  [caller, callee]: readonly [RTCConfiguration, RTCConfiguration],
  timeout: number,
  passes: Passes = () => true,
): Promise<{ connect: number; rtt: number } | undefined> {
  const { RTCPeerConnection } = await import('../../index.js');
  const open: RTCPeerConnection[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    for (const configuration of [caller, callee]) open.push(new RTCPeerConnection(configuration));
    const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), timeout)));
    return await Promise.race([echo(open[0]!, open[1]!, passes), late]);
  } finally {
    clearTimeout(timer);
    for (const connection of open) connection.close();
  }
}

async function echo(
  a: RTCPeerConnection,
  b: RTCPeerConnection,
  passes: Passes,
): Promise<{ connect: number; rtt: number }> {
  const started = performance.now();
  // Candidates that come early wait in the chain of operations.
  const tell = (from: RTCPeerConnection, to: RTCPeerConnection) => {
    from.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate && !passes(candidate)) return;
      void to.addIceCandidate(candidate).catch(() => undefined);
    };
  };
  tell(a, b);
  tell(b, a);
  b.ondatachannel = ({ channel }) => (channel.onmessage = ({ data }) => channel.send(data as string));
  const channel = a.createDataChannel('doctor');
  const opened = new Promise<void>((resolve) => (channel.onopen = () => resolve()));
  const answered = new Promise<void>((resolve) => (channel.onmessage = () => resolve()));
  await a.setLocalDescription();
  await b.setRemoteDescription(bare(a));
  await b.setLocalDescription();
  await a.setRemoteDescription(bare(b));
  await opened;
  const connected = performance.now();
  channel.send('doctor');
  await answered;
  return { connect: connected - started, rtt: performance.now() - connected };
}

/** The description without candidates, each of which is told for itself. */
function bare({ localDescription }: RTCPeerConnection): RTCSessionDescriptionInit {
  const { type, sdp } = localDescription!;
  return { type, sdp: sdp.replace(/^a=(candidate:.*|end-of-candidates)\r\n/gm, '') };
}

/** Whether a TURN server gives relayed addresses, and data gets through them. */
export interface Relay {
  readonly server: ServerUrl;
  /** The relayed address. */
  readonly address?: string;
  /** Milliseconds until it was there. */
  readonly time?: number;
  /** Round trip of a message through it, twice; nothing if none got through. */
  readonly rtt?: number;
  readonly error?: string;
  /** The same for programs, and what to do. */
  readonly causes?: readonly ConnectCause[];
}

/** Asks one TURN server for an address, and sends a message through it and back. */
export async function tryRelay(server: ServerUrl, ca: string | undefined, timeout: number): Promise<Relay> {
  const { url, username, credential } = server;
  const configuration: RTCConfiguration = {
    iceServers: [{ urls: url, username, credential }],
    iceTransportPolicy: 'relay',
    ...(ca === undefined ? {} : { transport: { tlsCaPem: ca } }),
  };
  const started = performance.now();
  const { candidates, causes, incomplete } = await gather(configuration, timeout, ({ type }) => type === 'relay');
  const relayed = candidates.find(({ type }) => type === 'relay');
  const time = performance.now() - started;
  if (!relayed) {
    const silent = incomplete ? `no answer in ${timeout} ms` : 'it gave no relayed address';
    return { server, error: causes.map(({ code, text }) => `${text} (${code})`).join('; ') || silent, causes };
  }
  const address = `${relayed.address}:${relayed.port}`;
  const through = server.derived ? undefined : await exchange([configuration, configuration], timeout);
  return { server, address, time, ...(through ? { rtt: through.rtt } : {}) };
}
