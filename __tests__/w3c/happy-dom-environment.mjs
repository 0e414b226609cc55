// Jest's environment of Node with the globals of happy-dom laid over Node's, in one context, as Vitest and Bun have them.
import { Window } from 'happy-dom';
import { TestEnvironment } from 'jest-environment-node';
import { runInNewContext } from 'node:vm';

/** What the language brings, and what makes a test file: a page's window has them too, of another realm. */
const kept = new Set([...runInNewContext('Object.getOwnPropertyNames(globalThis)'), 'global', 'Buffer']);

export default class extends TestEnvironment {
  #window = new Window();

  async setup() {
    await super.setup();
    for (const name of Object.getOwnPropertyNames(this.#window)) {
      if (kept.has(name)) continue;
      const value = this.#window[name];
      Object.defineProperty(this.global, name, { configurable: true, writable: true, value });
    }
  }

  async teardown() {
    await this.#window.happyDOM.close();
    await super.teardown();
  }
}
