import { execFile } from 'node:child_process';
import { join } from 'node:path';

import type * as Native from '../../ts/native';

/** What `__tests__/fixtures/pair.js` exports. */
export interface Message {
  channel: number;
  data: string | ArrayBuffer;
}

export interface TestPeer {
  native: Native.NativePeer;
  events: Native.NativeEvent[];
  messages: Message[];
  released: Map<number, number>;
  /** Gets candidates for the other peer of a pair. */
  onCandidate: ((event: Native.NativeEvent) => void) | undefined;
  onMessage: (channel: number, data: string | ArrayBuffer) => void;
  until<T>(probe: () => T | undefined | false): Promise<T>;
  event<K extends Native.NativeEvent['type']>(
    type: K,
    fits?: (event: Extract<Native.NativeEvent, { type: K }>) => boolean,
  ): Promise<Extract<Native.NativeEvent, { type: K }>>;
  received(count: number): Promise<Message[]>;
}

export interface Pair {
  a: TestPeer;
  b: TestPeer;
  channel: number;
  remote: number;
  close(): void;
}

type Init = Partial<Native.NativeDataChannelInit>;

interface Configs {
  a?: Native.NativePeerConfig;
  b?: Native.NativePeerConfig;
}

interface Fixture {
  NativePeer: typeof Native.NativePeer;
  NativeCertificate: typeof Native.NativeCertificate;
  NativeError: typeof Native.NativeError;
  TestPeer: new (config?: Native.NativePeerConfig) => TestPeer;
  negotiate: (this: void, a: TestPeer, b: TestPeer) => void;
  connectedPair: (this: void, init?: Init, configs?: Configs) => Promise<Pair>;
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- plain JavaScript, shared with child processes
const fixture = require('../fixtures/pair.js') as Fixture;

export const { NativePeer, NativeCertificate, NativeError, TestPeer, negotiate, connectedPair } = fixture;

/** Runs a script of `__tests__/fixtures` in a process of its own, which has to end by itself. */
export function runFixture(name: string, args: string[] = [], nodeArgs: string[] = []): Promise<Outcome> {
  const script = join(__dirname, '..', 'fixtures', name);
  return new Promise((resolve) => {
    execFile(process.execPath, [...nodeArgs, script, ...args], { timeout: 60_000 }, (error, stdout, stderr) => {
      const { code = 0, signal = null } = (error ?? {}) as { code?: number; signal?: NodeJS.Signals | null };
      resolve({ code, signal, stdout, stderr });
    });
  });
}

export interface Outcome {
  code: number;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}
