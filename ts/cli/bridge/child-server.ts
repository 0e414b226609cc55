// An MCP server that knows standard input and output only, started for one session.
import { spawn, type ChildProcess } from 'node:child_process';

import { AgentError } from '../../index';
import type { McpTransport } from '../../mcp';
import { Lines } from './lines';
import { deliverTo, sendFrom } from './stdio';

/** How long a server may take to end after its input has ended, and again after SIGTERM, in milliseconds. */
const GRACE = 1500;

/** Bytes of a line of its standard error output; the rest of a longer one is left out. */
const MOST_SAID = 64 * 1024;

/** What of our own environment is not for it: keys and tokens are those of the agent. */
const OURS = /^OSSA_/;

/** What a child needs of the program. */
export interface ChildHost {
  /** A line of its standard error output. */
  said(line: string): void;
  /** A line of its standard output that is no message. */
  stray(line: string): void;
  /** The session has ended with an error. */
  problem(error: Error): void;
  /** It is gone. */
  ended(how: string): void;
}

/** The server of one session. */
export class ChildServer {
  readonly #child: ChildProcess;
  readonly #transport: McpTransport;
  readonly #host: ChildHost;
  /** Resolves when it is gone. */
  readonly ended: Promise<void>;
  #how: string | undefined;

  /** Starts it, for the agent at the other end of the session, whose name it finds in `OSSA_MCP_CALLER` if that is proven. */
  constructor([command, ...args]: readonly [string, ...string[]], transport: McpTransport, host: ChildHost) {
    this.#transport = transport;
    this.#host = host;
    const inherited = Object.entries(process.env).filter(([name]) => !OURS.test(name));
    const { agentId, authenticated } = transport.remote;
    const env = { ...Object.fromEntries(inherited), ...(authenticated ? { OSSA_MCP_CALLER: agentId } : {}) };
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env, windowsHide: true });
    this.ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
    // A server that has ended reads no more; its end says what that means.
    this.#child.stdin!.on('error', () => undefined);
    this.#child.once('error', (error) => this.#gone(`cannot be started (${error.message})`));
    this.#child.once('close', (code, signal) =>
      this.#gone(signal ? `was ended by ${signal}` : `has ended with code ${code}`),
    );
    this.#listen();
  }

  /** Resolves when it runs. @throws AgentError - `CAPABILITY_FAILED`: it cannot be started. */
  async connect(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#child.once('spawn', resolve);
      this.#child.once('error', () => {
        reject(new AgentError('CAPABILITY_FAILED', 'the MCP server could not be started; its operator knows why'));
      });
    });
    this.#transport.onerror = (error) => this.#host.problem(error);
    this.#transport.onclose = () => void this.stop();
    const { stdin, stdout } = this.#child;
    deliverTo(stdin!, this.#transport);
    await this.#transport.start();
    sendFrom(stdout!, this.#transport, this.#host).then(
      // Nothing more will come of it. How it ends is told when it has.
      () => this.#hurry(),
      (error: unknown) => this.#transport.fail(asAgentError(error)),
    );
  }

  /** Ends it as MCP has it: its input ends, then SIGTERM, then SIGKILL. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#child.stdin!.end();
    // Nobody takes it any more, and a full pipe must not keep the server from ending.
    this.#child.stdout!.resume();
    await this.#hurry();
  }

  /** Ends it at once: the program itself ends. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #hurry(): Promise<void> {
    const timers = [
      setTimeout(() => this.#child.kill('SIGTERM'), GRACE),
      setTimeout(() => this.#child.kill('SIGKILL'), 2 * GRACE),
    ];
    await this.ended;
    for (const timer of timers) clearTimeout(timer);
  }

  #listen(): void {
    const lines = new Lines(MOST_SAID);
    this.#child.stderr!.on('data', (piece: Buffer) => {
      try {
        for (const line of lines.push(piece)) this.#host.said(line);
      } catch {
        this.#host.said('(a line that is too long was left out)');
      }
    });
  }

  #gone(how: string): void {
    // What could not be started is closed as well.
    if (this.#how !== undefined) return;
    this.#how = how;
    this.#host.ended(how);
    void this.#transport.fail(new AgentError('CAPABILITY_FAILED', `the MCP server ${how}`));
  }
}

function asAgentError(error: unknown): AgentError {
  return error instanceof AgentError
    ? error
    : new AgentError('CAPABILITY_FAILED', 'the MCP server cannot be read any more');
}
