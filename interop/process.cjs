// The parent's side of `child.cjs` and of the Rust stacks: one process that answers calls.
const { spawn } = require('node:child_process');
const { createInterface } = require('node:readline');
const { join } = require('node:path');

/** The stacks that are programs in Rust: `rust-driver` and a folder for each. */
const RUST_STACKS = ['webrtc-rs', 'str0m', 'rustrtc'];

/** Where `cargo build --release -p NAME` puts a program. */
function rustProgram(name) {
  const folder = process.env.CARGO_TARGET_DIR ?? join(__dirname, '..', 'target');
  return join(folder, 'release', process.platform === 'win32' ? `${name}.exe` : name);
}

class StackProcess {
  #child;
  #calls = new Map();
  #serial = 0;
  #ended = null;

  /** Starts `command args`; `label` names it in errors. */
  constructor(label, command, args) {
    this.label = label;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.exited = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(this.#end(`${command} did not start: ${error.message}`)));
      this.#child.once('exit', (code, name) =>
        resolve(this.#end(`its process ended with ${name ?? `exit code ${code}`}`)),
      );
    });
    this.#child.stdin.on('error', () => {}); // a dead process is reported by `exit`
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (!line.startsWith('{"id":')) return;
      const { id, result, error } = JSON.parse(line);
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (error !== undefined) call?.reject(new Error(`${label}: ${error}`));
      else call?.resolve(result);
    });
  }

  #end(reason) {
    this.#ended = reason;
    for (const { method, reject } of this.#calls.values()) reject(new Error(`${this.label}: ${method}: ${reason}`));
    this.#calls.clear();
    return reason;
  }

  /** Calls a method of the driver in that process. */
  call(method, params = {}) {
    if (this.#ended) return Promise.reject(new Error(`${this.label}: ${method}: ${this.#ended}`));
    const id = ++this.#serial;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { method, resolve, reject });
      this.#child.stdin.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  /** Ends the process: politely by closing its input, by force when `graceMs` have passed. Resolves with how it ended. */
  async stop(graceMs = 2000) {
    this.#child.stdin.end();
    const force = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    const reason = await this.exited;
    clearTimeout(force);
    return reason;
  }
}

/**
 * A process with one of the Node stacks of `stacks/`, or one of the Rust stacks. `prefix` is a command that runs the one that follows
 * it, as `ip netns exec NAME` does.
 */
function startStack(stack, { child = join(__dirname, 'child.cjs'), nodeArgs = [], prefix = [] } = {}) {
  const command = RUST_STACKS.includes(stack)
    ? [rustProgram(`ossa-interop-${stack}`)]
    : [process.execPath, ...nodeArgs, child, stack];
  const [file, ...args] = [...prefix, ...command];
  return new StackProcess(stack, file, args);
}

module.exports = { StackProcess, startStack, RUST_STACKS, rustProgram };
