// Two agents with a link, and a folder for what they send each other.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createPeer, MemorySignaling } from 'ossa-webrtc';
import type { AgentPeer, IncomingFile, Link, PeerOptions, RTCDataChannel } from 'ossa-webrtc';

export const MIB = 1024 * 1024;

/** What a sender says first. */
export const OFFER = JSON.stringify({
  type: 'offer',
  version: 1,
  id: '1',
  name: 'x',
  size: 4,
  resumable: true,
  head: 'a'.repeat(64),
  timeout: 9000,
});

/** See above; renewed for each test. */
export class FilePair {
  folder = '';
  inbox = '';
  a!: AgentPeer;
  b!: AgentPeer;
  ab!: Link;
  ba!: Link;
  #signaling = new MemorySignaling();
  readonly #peers: AgentPeer[] = [];

  async start(): Promise<void> {
    this.folder = mkdtempSync(join(tmpdir(), 'ossa-files-test-'));
    this.inbox = join(this.folder, 'inbox');
    this.#signaling = new MemorySignaling();
    this.a = this.agent('a', { limits: { fileWindow: MIB } });
    this.b = this.agent('b', { limits: { fileWindow: MIB } });
    await this.b.ready;
    await this.connect();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#peers.splice(0).map((peer) => peer.close()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** An agent that the others can find. */
  agent(name: string, options: Partial<PeerOptions> = {}): AgentPeer {
    const peer = createPeer({ agentId: `agent://${name}`, signaling: this.#signaling, ...options });
    this.#peers.push(peer);
    return peer;
  }

  async connect(): Promise<void> {
    const incoming = new Promise<Link>((resolve) => this.b.once('link', resolve));
    [this.ab, this.ba] = await Promise.all([this.a.connect('agent://b'), incoming]);
  }

  /** The next file that is offered to `link`. */
  offered(link: Link = this.ba): Promise<IncomingFile> {
    return new Promise((resolve) => link.once('file', resolve));
  }

  /** Speaks for itself over a channel of its own. */
  async liar(): Promise<{ channel: RTCDataChannel; answer: () => Promise<Record<string, unknown>> }> {
    const channel = this.ab.connection.createDataChannel('ossa-file', { protocol: 'ossa-file' });
    const answers: Record<string, unknown>[] = [];
    let wake = () => undefined as void;
    channel.onmessage = ({ data }) => {
      answers.push(JSON.parse(data as string) as Record<string, unknown>);
      wake();
    };
    await new Promise((resolve) => (channel.onopen = resolve));
    const answer = async () => {
      while (answers.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return answers.shift()!;
    };
    return { channel, answer };
  }

  fileOf(content: Uint8Array, name = 'data.bin'): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }
}

/** Call it once, at the top of a test file. */
export function filePair(): FilePair {
  const pair = new FilePair();
  beforeEach(() => pair.start());
  afterEach(() => pair.stop());
  return pair;
}

export const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
