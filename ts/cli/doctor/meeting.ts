// The signaling server: whether it is there, how long a message takes through it, and what time it has.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';

import type { AgentKeys, RTCIceServer, SignalingAdapter, SignalingMessage } from '../../index';
import { randomAgentId } from '../options';

/** What two agents that are thrown away afterwards have found. */
export interface Meeting {
  /** Milliseconds until both were registered. */
  readonly register: number;
  /** Milliseconds of a message and its answer. */
  readonly rtt: number;
  /** ICE servers that the server hands out. */
  readonly iceServers: readonly RTCIceServer[];
}

/**
 * Registers two agents and sends a message from one to the other and back.
 *
 * @throws AgentError - The server cannot be reached or refuses; `TASK_TIMEOUT` if nothing comes through.
 */
export async function meet(signaling: SignalingAdapter, timeout: number): Promise<Meeting> {
  const { AgentError, generateAgentKeys } = await import('../../index.js');
  // A server that trusts the first key of a name wants to see one.
  const keys = await generateAgentKeys();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new AgentError('TASK_TIMEOUT', `no answer through it in ${timeout} ms`);
    timer = setTimeout(() => reject(error), timeout);
  });
  const leave: (() => unknown)[] = [];
  try {
    return await Promise.race([roundTrip(signaling, keys, leave), late]);
  } finally {
    clearTimeout(timer);
    for (const unsubscribe of leave) void Promise.resolve(unsubscribe()).catch(() => undefined);
  }
}

async function roundTrip(signaling: SignalingAdapter, keys: AgentKeys, leave: (() => unknown)[]): Promise<Meeting> {
  const [a, b] = [randomAgentId(), randomAgentId()];
  const started = performance.now();
  let answered!: () => void;
  let iceServers: readonly RTCIceServer[] = [];
  const offered = (servers: readonly RTCIceServer[]) => (iceServers = servers);
  const back = new Promise<void>((resolve) => (answered = resolve));
  // Not an offer: nobody is to be connected. The server looks at the names only.
  const message = (from: string, to: string): SignalingMessage => ({
    type: 'ice-candidate',
    from,
    to,
    sessionId: 'doctor',
  });
  const subscribe = async (agent: string, deliver: (message: SignalingMessage) => void) => {
    let failed!: (error: Error) => void;
    const failure = new Promise<never>((_, reject) => (failed = reject));
    failure.catch(() => undefined);
    const unsubscribe = await Promise.race([
      signaling.subscribe(agent, deliver, failed, { keys, offerIceServers: offered }),
      failure,
    ]);
    leave.push(unsubscribe);
  };
  await Promise.all([
    subscribe(a, ({ from }) => from === b && answered()),
    subscribe(b, ({ from }) => from === a && void signaling.send(message(b, a))),
  ]);
  const registered = performance.now();
  await signaling.send(message(a, b));
  await back;
  return { register: registered - started, rtt: performance.now() - registered, iceServers };
}

/**
 * By how many milliseconds the clock of a web server is ahead of ours, to the second, as its `Date` header says; nothing if
 * it does not.
 */
export async function clockAhead(url: string, ca: string | undefined, timeout: number): Promise<number | undefined> {
  const address = new URL(url);
  address.protocol = /^(wss|https):$/.test(address.protocol) ? 'https:' : 'http:';
  address.pathname = `${address.pathname.replace(/\/$/, '')}/health`;
  const request = address.protocol === 'https:' ? httpsRequest : httpRequest;
  const started = Date.now();
  const date = await new Promise<string | undefined>((resolve) => {
    const asked = request(
      address,
      { timeout, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) },
      (response) => {
        response.destroy();
        resolve(response.headers.date);
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
    asked.end();
  });
  const theirs = date === undefined ? NaN : Date.parse(date);
  if (Number.isNaN(theirs)) return undefined;
  // The header is cut to the second: half a second too early on average.
  const ahead = theirs + 500 - (started + Date.now()) / 2;
  return Math.abs(ahead) <= 1000 ? 0 : Math.round(ahead);
}
