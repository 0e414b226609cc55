// Many bare connections at one port (`transport.listen`): in one thread, in many, and against other processes.
import { fork, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { RTCTransportOptions } from 'ossa-webrtc';

import { Dialled, echoing, freePort, isFree, sockets, type Answerer } from '../one-port';
import { errorOf, newPeer } from './helper';

/** Of this file alone. */
const ADDRESS = '127.0.0.83';
const SERVER = join(__dirname, '..', 'fixtures', 'port-server.js');

let port: number;
const dialled: Dialled[] = [];
const others: (() => unknown)[] = [];

beforeEach(async () => {
  port = await freePort(ADDRESS);
});
afterEach(async () => {
  for (const one of dialled.splice(0)) one.close();
  for (const end of others.splice(0)) await end();
});

const at = (options: RTCTransportOptions = {}): RTCTransportOptions => ({
  listen: { port, address: ADDRESS },
  ...options,
});

const here = (transport = at()): Answerer => {
  const connections: ReturnType<typeof newPeer>[] = [];
  others.push(() => connections.forEach((connection) => connection.close()));
  return echoing({ transport }, (connection) => connections.push(connection));
};

async function dial(...args: Parameters<typeof Dialled.to>): Promise<Dialled> {
  const one = await Dialled.to(...args);
  dialled.push(one);
  return one;
}

/** Resolves when everybody has let go of the port. */
async function free(): Promise<void> {
  while (!(await isFree(ADDRESS, port)));
}

/** All of them at once, each with words of its own. */
async function all(clients: readonly Dialled[]): Promise<void> {
  const words = clients.map((_, i) => `word ${i}`);
  expect(await Promise.all(clients.map((client, i) => client.echo(words[i]!)))).toEqual(
    words.map((word) => `echo: ${word}`),
  );
}

test('any number of connections has one socket, and each hears what is its own', async () => {
  const answerer = here();
  const clients: Dialled[] = [];
  for (let i = 0; i < 20; i++) clients.push(await dial(answerer));
  await all(clients);
  for (const client of clients)
    expect((await client.pair()).remote).toEqual({ address: ADDRESS, port, protocol: 'udp' });
  expect(sockets(ADDRESS, port)).toEqual({ udp: 1, tcp: 0 });
});

test('a port that another program has is told by the constructor, for UDP and for TCP', async () => {
  const udp: Socket = createSocket('udp4').bind(port, ADDRESS);
  await once(udp, 'listening');
  others.push(() => udp.close());
  const refused = errorOf(() => newPeer({ transport: at() })) as DOMException;
  expect(refused.name).toBe('OperationError');
  expect(refused.message).toMatch(new RegExp(`^EADDRINUSE: .*UDP ${ADDRESS}:${port}`));
  // Nothing is left behind.
  others.pop()!();
  await once(udp, 'close');
  const tcp = createServer().listen(port, ADDRESS);
  await once(tcp, 'listening');
  others.push(() => tcp.close());
  expect((errorOf(() => newPeer({ transport: at({ tcp: 'passive' }) })) as DOMException).message).toMatch(
    new RegExp(`^EADDRINUSE: .*TCP ${ADDRESS}:${port}`),
  );
  // The half of it that was free is free again, and without TCP the port can be had.
  await dial(here());
});

test.each([
  ['alone', {}, ['203.0.113.7']],
  ['beside the local one', { announceLocal: true }, [ADDRESS, '203.0.113.7']],
])('the address that is announced stands in the candidates, %s', async (_, options, expected) => {
  const listen = { port, address: ADDRESS, announce: ['203.0.113.7'], ...options };
  const connection = newPeer({ transport: { listen, tcp: 'passive' } });
  const candidates: string[] = [];
  const complete = new Promise<void>((resolve) => {
    connection.onicecandidate = ({ candidate }) => {
      if (!candidate) resolve();
      else if (candidate.candidate) candidates.push(candidate.candidate);
    };
  });
  connection.createDataChannel('x');
  await connection.setLocalDescription();
  await complete;
  for (const protocol of ['udp', 'tcp']) {
    const told = candidates.map((line) => line.split(' ')).filter(([, , kind]) => kind === protocol);
    expect(told.map(([, , , , address]) => address).sort()).toEqual(expected);
    expect(new Set(told.map(([, , , , , number]) => number))).toEqual(new Set([String(port)]));
  }
});

test('TCP is accepted at the same number, for any number of connections', async () => {
  const answerer = here(at({ tcp: 'passive' }));
  const active = { transport: { tcp: 'active' } } as const;
  const clients: Dialled[] = [];
  for (let i = 0; i < 5; i++) clients.push(await dial(answerer, active, (line) => / tcp /.test(line)));
  await all(clients);
  for (const client of clients)
    expect((await client.pair()).remote).toEqual({ address: ADDRESS, port, protocol: 'tcp' });
  expect(sockets(ADDRESS, port)).toEqual({ udp: 1, tcp: 1 });
});

test('where both sides have one port the second connection moves out, and both work', async () => {
  const theirs = await freePort(ADDRESS);
  const configuration = { transport: { listen: { port: theirs, address: ADDRESS } } };
  const answerer = here();
  const clients = [await dial(answerer, configuration), await dial(answerer, configuration)];
  await all(clients);
  const [first, second] = await Promise.all(clients.map((client) => client.pair()));
  expect([first!.local.port, first!.remote.port]).toEqual([theirs, port]);
  expect(second).not.toEqual(first);
});

test('the port is free when the last connection is closed, and can be had again at once', async () => {
  const answerer = here(at({ tcp: 'both' }));
  await all([await dial(answerer), await dial(answerer)]);
  others.pop()!();
  // In the same turn: nobody has to wait for the one who was there before.
  const next = newPeer({ transport: at({ tcp: 'both' }) });
  expect(sockets(ADDRESS, port)).toEqual({ udp: 1, tcp: 1 });
  next.close();
  await free();
});

test.each([
  [{}, /port/],
  [{ port: 0 }, /listen\.port/],
  [{ port: 65_536 }, /listen\.port/],
  [{ port: 1.5 }, /listen\.port/],
  [{ port: 9, address: 'localhost' }, /listen\.address 'localhost' is not an IP address/],
  [{ port: 9, announce: ['example.com'] }, /listen\.announce 'example\.com' is not an IP address/],
  [{ port: 9, announced: [] }, /announced/],
  [{ port: 9, address: '127.0.0.1', announce: ['2001:db8::7'] }, /2001:db8::7.* IPv6.* 127\.0\.0\.1.* IPv4/],
  [{ port: 9, address: '::', announce: ['203.0.113.7', '::1'] }, /203\.0\.113\.7.* IPv4.* ::.* IPv6/],
])('listen: %j is refused, with what is wrong', (listen, text) => {
  const refused = errorOf(() => newPeer({ transport: { listen: listen as never } })) as Error;
  expect(refused.name).toMatch(/^(TypeError|RangeError)$/);
  expect(refused.message).toMatch(text);
});

/** Somebody elsewhere who answers offers. */
class Elsewhere {
  readonly ended: Promise<unknown>;
  readonly #messages: unknown[] = [];
  #arrived: () => void = () => undefined;

  private constructor(readonly it: Worker | ChildProcess) {
    it.on('message', (message: unknown) => {
      this.#messages.push(message);
      this.#arrived();
    });
    this.ended = once(it, 'exit');
    others.push(() => this.end());
  }

  static async worker(transport = at()): Promise<Elsewhere> {
    return await Elsewhere.#ready(new Worker(SERVER, { argv: [JSON.stringify(transport)] }));
  }

  static async process(transport = at()): Promise<Elsewhere> {
    return await Elsewhere.#ready(fork(SERVER, [JSON.stringify(transport)]));
  }

  static async #ready(it: Worker | ChildProcess): Promise<Elsewhere> {
    const elsewhere = new Elsewhere(it);
    expect(await elsewhere.#next()).toBe('ready');
    return elsewhere;
  }

  async #next(): Promise<unknown> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#messages.shift();
  }

  #tell(message: unknown): void {
    if (this.it instanceof Worker) this.it.postMessage(message);
    else this.it.send(message as object);
  }

  readonly answer: Answerer = async (offer) => {
    this.#tell({ offer });
    const { answer, error } = (await this.#next()) as { answer?: string; error?: string };
    if (answer === undefined) throw new Error(error);
    return answer;
  };

  /** Closes everything, after which it has to end by itself. */
  async close(): Promise<void> {
    this.#tell('close');
    await this.ended;
  }

  /** Without a goodbye. */
  async end(): Promise<void> {
    if (this.it instanceof Worker) await this.it.terminate();
    else this.it.kill('SIGKILL');
    await this.ended;
  }
}

test('workers share the port with this thread, and one that is terminated while connected takes nobody along', async () => {
  const workers = await Promise.all([Elsewhere.worker(), Elsewhere.worker(), Elsewhere.worker()]);
  const ours = await dial(here());
  const theirs: Dialled[] = [];
  for (const worker of workers) theirs.push(await dial(worker.answer), await dial(worker.answer));
  await all([ours, ...theirs]);
  expect(sockets(ADDRESS, port)).toEqual({ udp: 1, tcp: 0 });

  // The one who came first: the port is not his.
  await workers[0].end();
  await all([ours, ...theirs.slice(2)]);
  const newcomer = await Elsewhere.worker();
  await all([await dial(newcomer.answer), ours, ...theirs.slice(2)]);
  expect(sockets(ADDRESS, port)).toEqual({ udp: 1, tcp: 0 });

  for (const end of others.splice(0)) await end();
  await free();
});

test('a port that only workers have is free when they are terminated', async () => {
  const workers = await Promise.all([Elsewhere.worker(at({ tcp: 'both' })), Elsewhere.worker(at({ tcp: 'both' }))]);
  await all(await Promise.all(workers.map(async (worker) => await dial(worker.answer))));
  await workers[0].end();
  expect(sockets(ADDRESS, port)).toEqual({ udp: 1, tcp: 1 });
  await workers[1].end();
  await free();
});

test('a process with connections at a port ends by itself when they are closed, and another one may have it', async () => {
  const first = await Elsewhere.process(at({ tcp: 'both' }));
  await all([await dial(first.answer), await dial(first.answer)]);
  const text = new RegExp(`^EADDRINUSE: .*${ADDRESS}:${port}`);
  expect((errorOf(() => newPeer({ transport: at() })) as DOMException).message).toMatch(text);
  const second = await Elsewhere.process();
  await expect(dial(second.answer)).rejects.toThrow(/^OperationError: EADDRINUSE/);

  await first.close();
  expect(first.it).toMatchObject({ exitCode: 0, signalCode: null });
  await all([await dial(second.answer)]);
});

test('a process that is killed leaves the port to the next one, which its clients reach', async () => {
  const first = await Elsewhere.process();
  await all([await dial(first.answer)]);
  await first.end();
  const second = await Elsewhere.process();
  await all([await dial(second.answer), await dial(second.answer)]);
});
