// Where the specification's agent runs: in a Node process of its own, or in a page of a real browser.
import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { startBrowser } from '../interop/browser';

/** Something that answers the calls of `spec-driver.mjs`. */
export interface SpecDriver {
  call<T = unknown>(method: string, params?: object): Promise<T>;
  stop(): Promise<unknown>;
}

class NodeDriver implements SpecDriver {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #serial = 0;

  constructor(stack: 'ours' | 'wrtc') {
    this.#child = fork(join(__dirname, 'spec-process.mjs'), [stack]);
    this.#child.on('message', ({ id, result, error }: { id: number; result?: unknown; error?: string }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error));
    });
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the process ended: ${signal ?? code}`));
    });
  }

  call<T>(method: string, params: object = {}): Promise<T> {
    const id = this.#serial++;
    this.#child.send({ id, method, params });
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve: resolve as () => void, reject }));
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** Both modules in one script: a page of a test server has no folder to import from. */
function page(): string {
  const source = (file: string) =>
    readFileSync(join(__dirname, file), 'utf8')
      .replace(/^import .*;$/gm, '')
      .replace(/^export /gm, '');
  return `<!doctype html><meta charset="utf-8"><title>specification</title><script type="module">
    ${source('../../examples/browser/spec-agent.mjs')}
    ${source('spec-driver.mjs')}
    globalThis.driver = specDriver({ RTCPeerConnection, WebSocket });
  </script>`;
}

/** Starts a place for agents of the specification, one after the other. */
export async function startSpecAgent(where: 'ours' | 'wrtc' | 'chromium' | 'firefox'): Promise<SpecDriver> {
  if (where === 'ours' || where === 'wrtc') return new NodeDriver(where);
  return await startBrowser(where, page());
}
