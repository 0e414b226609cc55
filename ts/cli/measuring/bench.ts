// The two sides of a measurement between agents.
import type { AgentChannel, AgentPeer, ChannelData, Link } from '../../index';
import { summary, type Summary } from './statistics';

/** Labels of channels and names of capabilities. */
const CHANNEL = 'ossa-webrtc.bench';
const RESULT = 'ossa-webrtc.bench.result';
const ECHO = 'ossa-webrtc.bench.echo';

/** Results that were not asked for; a side that only opens channels must not fill the memory. */
const MOST_RESULTS = 16;

/** What a receiver has counted. */
export interface Counted {
  readonly bytes: number;
  readonly messages: number;
  /** Milliseconds between the first message and the last. */
  readonly time: number;
}

/** What is to be measured. */
export interface Plan {
  /** Milliseconds for each figure. */
  readonly time: number;
  /** Bytes of the messages of the throughput. */
  readonly large: number;
  /** Bytes of the messages that are counted. */
  readonly small: number;
  readonly signal: AbortSignal;
  /** Told what is being measured. */
  readonly progress: (text: string) => void;
}

/** What was measured. */
export interface Figures {
  readonly throughput: Counted & { readonly bytesPerSecond: number };
  readonly messages: Counted & { readonly messagesPerSecond: number };
  /** Of calls, in milliseconds. */
  readonly rtt: Summary & { readonly calls: number };
}

/** Makes an agent the other side of measurements. */
export function listen(peer: AgentPeer): void {
  const results = new Map<string, Promise<Counted>>();
  peer.handle(ECHO, (input) => input);
  peer.handle(RESULT, async (label: string) => {
    const result = results.get(label);
    results.delete(label);
    return (await result) ?? null;
  });
  peer.on('link', (link) => {
    link.on('channel', (channel) => {
      if (!channel.label.startsWith(CHANNEL)) return void channel.close();
      results.set(channel.label, count(channel));
      const [oldest] = results.keys();
      if (results.size > MOST_RESULTS) results.delete(oldest!);
    });
  });
}

function count(channel: AgentChannel): Promise<Counted> {
  let [bytes, messages, first, last] = [0, 0, 0, 0];
  channel.on('message', (data: ChannelData) => {
    last = performance.now();
    if (messages++ === 0) first = last;
    bytes += typeof data === 'string' ? data.length : data.byteLength;
  });
  return channel.closed.then(() => ({ bytes, messages, time: last - first }));
}

/** Measures one after the other. @throws AgentError - The other side does not run `bench --listen`, or is lost. */
export async function measure(link: Link, plan: Plan): Promise<Figures> {
  const { time, large, small, signal, progress } = plan;
  progress('the round trip');
  const rtt = await roundTrips(link, time, signal);
  progress('the throughput');
  const throughput = await flood(link, large, time, signal);
  progress('messages per second');
  const messages = await flood(link, small, time, signal);
  return {
    rtt,
    throughput: { ...throughput, bytesPerSecond: perSecond(throughput.bytes, throughput.time) },
    messages: { ...messages, messagesPerSecond: perSecond(messages.messages, messages.time) },
  };
}

const perSecond = (count: number, milliseconds: number) => (milliseconds > 0 ? (count / milliseconds) * 1000 : 0);

async function roundTrips(link: Link, time: number, signal: AbortSignal): Promise<Figures['rtt']> {
  const times: number[] = [];
  // The first ones find cold code, and a path that is still being improved.
  for (let warm = 0; warm < 10; warm++) await link.call(ECHO, warm, { signal });
  const end = performance.now() + time;
  for (let now = performance.now(); now < end;) {
    await link.call(ECHO, times.length, { signal });
    const done = performance.now();
    times.push(done - now);
    now = done;
  }
  return { calls: times.length, ...summary(times)! };
}

let channels = 0;

/** Sends as fast as it goes; the other side counts. */
async function flood(link: Link, size: number, time: number, signal: AbortSignal): Promise<Counted> {
  const label = `${CHANNEL}.${++channels}.${Math.random().toString(36).slice(2)}`;
  const channel = await link.createChannel(label, {}, { signal });
  const data = new Uint8Array(size);
  // Looking at the clock costs as much as a small message.
  const batch = Math.max(1, Math.ceil(16_384 / size));
  const end = performance.now() + time;
  while (performance.now() < end) {
    signal.throwIfAborted();
    for (let sent = 0; sent < batch; sent++) {
      // A promise for each message would be most of what is measured.
      if (!channel.trySend(data)) await channel.send(data, { signal });
    }
  }
  await channel.close();
  const counted = await link.call<Counted | null>(RESULT, label, { signal });
  if (!counted) throw new Error('the other side has not counted anything');
  return counted;
}
