// `npm run demo`: builds, then starts a signaling server and two agents, each a process of its own. They find each other
// by name, call each other and move a file. `npm run demo -- --file PATH` sends another file than Node itself.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { build, root } from './setup.mjs';

/** The whole conversation, at the slowest. */
const PATIENCE = 180_000;

/** A process that was told to go is killed after this. */
const GRACE = 3000;

const { values: options } = parseArgs({
  options: { file: { type: 'string', default: process.execPath }, 'no-build': { type: 'boolean', default: false } },
});

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
const running = new Set();

/** One of the three programs. Its output is shown line by line behind its name. */
class Program {
  #waiting = [];
  lastLine = '';

  constructor(name, hue, script, args) {
    this.name = name;
    this.prefix = paint(hue, name.padEnd(9));
    this.child = spawn(process.execPath, [join(root, 'examples', script), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PROGRESS: process.stdout.isTTY ? 'bar' : 'lines' },
    });
    running.add(this.child);
    this.#show(this.child.stdout, process.stdout);
    this.#show(this.child.stderr, process.stderr);
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => this.#end(resolve, `could not be started: ${error.message}`));
      this.child.on('close', (code, signal) =>
        this.#end(resolve, code === 0 ? null : `ended with ${signal ?? `code ${code}`}`),
      );
    });
  }

  /** The first line that begins with `start`; fails if the program ends without. */
  line(start) {
    return new Promise((resolve, reject) => this.#waiting.push({ start, resolve, reject }));
  }

  /** Asks the program to end and sees to it. */
  async stop() {
    if (!running.has(this.child)) return this.ended;
    this.child.kill('SIGTERM');
    const killer = setTimeout(() => this.child.kill('SIGKILL'), GRACE);
    const failure = await this.ended;
    clearTimeout(killer);
    return failure;
  }

  #show(stream, target) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text) => {
      // A carriage return redraws the line: the progress bar.
      const parts = (rest + text).split(/(?<=[\r\n])/);
      rest = /[\r\n]$/.test(parts.at(-1)) ? '' : parts.pop();
      for (const part of parts) {
        if (part.trim() === '') continue;
        target.write(`${this.prefix} ${part}`);
        this.#took(part.trim());
      }
    });
    stream.on('end', () => rest && target.write(`${this.prefix} ${rest}\n`));
  }

  #took(line) {
    this.lastLine = line;
    this.#waiting = this.#waiting.filter(({ start, resolve }) => {
      if (!line.startsWith(start)) return true;
      resolve(line.slice(start.length).trim());
      return false;
    });
  }

  #end(resolve, failure) {
    running.delete(this.child);
    for (const { start, reject } of this.#waiting) {
      reject(new Error(`the ${this.name} ${failure ?? 'ended'} before it said "${start}"`));
    }
    resolve(failure);
  }
}

async function converse() {
  const server = new Program('server', 36, 'signaling-server.mjs', []);
  const url = await server.line('listening on');
  const receiver = new Program('receiver', 35, 'file-receiver.mjs', [url]);
  await receiver.line('ready as');
  const sender = new Program('sender', 33, 'file-sender.mjs', [url, options.file]);
  const outcome = await sender.line('done:');
  for (const program of [sender, receiver]) {
    const failure = await program.ended;
    if (failure) throw new Error(`the ${program.name} ${failure}`);
  }
  const failure = await server.stop();
  if (failure) throw new Error(`the server ${failure}`);
  return outcome;
}

/** Nothing that was started is left running, whatever happens. */
async function stopAll(signal) {
  const ends = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of running) child.kill(signal);
  const killer = setTimeout(() => [...running].forEach((child) => child.kill('SIGKILL')), GRACE);
  await Promise.all(ends);
  clearTimeout(killer);
}

process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, async () => {
    console.error(`\n${signal}: stopping`);
    await stopAll('SIGTERM');
    process.exit(code);
  });
}

if (!existsSync(options.file)) {
  console.error(`demo: the file ${options.file} does not exist`);
  process.exit(1);
}
if (!options['no-build']) build();

let timer;
const patience = new Promise((_, reject) => {
  timer = setTimeout(() => reject(new Error(`not done after ${PATIENCE / 1000} s`)), PATIENCE);
});
try {
  const outcome = await Promise.race([converse(), patience]);
  console.log(`\n${paint(32, 'OK')} ${outcome}`);
} catch (error) {
  console.error(`\n${paint(31, 'FAILED')} ${error.message}`);
  await stopAll('SIGTERM');
  process.exitCode = 1;
} finally {
  clearTimeout(timer);
}
