// What an agent does of tracing when nobody has asked for it, counted by the engine.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

/** Messages, calls and a file between two agents; prints how often each function of ts/agent/tracing ran, and which files that were loaded are about tracing. */
const PROGRAM = `
  const { Session } = require('node:inspector/promises');
  const { readFileSync } = require('node:fs');
  const { join } = require('node:path');
  const { PassThrough } = require('node:stream');
  const { createPeer, MemorySignaling } = require(process.env.PACKAGE);
  const work = { context: undefined, end() {}, connected() {}, items() {}, size() {}, run: (handle) => handle() };
  const watched = { current() {}, linked() {} };
  for (const name of ['connecting', 'calling', 'answering', 'sending', 'receiving']) watched[name] = () => work;
  async function main() {
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    const signaling = new MemorySignaling();
    const options = process.env.TRACING ? { signaling, tracing: { forAgent: () => watched } } : { signaling };
    const [a, b] = ['agent://a', 'agent://b'].map((agentId) => createPeer({ agentId, ...options }));
    b.handle('echo', (input) => input);
    await b.ready;
    const incoming = new Promise((resolve) => b.once('link', resolve));
    const link = await a.connect('agent://b');
    const theirs = await incoming;
    let left = 100;
    const all = new Promise((resolve) => theirs.on('message', () => --left === 0 && resolve()));
    for (let count = 0; count < 100; count++) await link.send({ count });
    await all;
    for (let count = 0; count < 100; count++) await link.call('echo', count);
    theirs.on('file', (file) => file.accept(new PassThrough().resume()));
    await link.sendFile(Buffer.alloc(1000), { name: 'a' }).done;
    const { result } = await session.post('Profiler.takePreciseCoverage');
    const code = readFileSync(join(process.env.PACKAGE, 'dist', 'agent.js'), 'utf8');
    const start = code.indexOf('/* ts/agent/tracing/index.ts */');
    const end = code.indexOf('\\n/* ts/', start);
    const counts = {};
    for (const { functions } of result.filter(({ url }) => url.endsWith('/dist/agent.js'))) {
      for (const { functionName, ranges: [{ startOffset, endOffset, count }] } of functions) {
        if (startOffset > start && endOffset < end && count > 0) counts[functionName] = count;
      }
    }
    const loaded = Object.keys(require.cache).filter((file) => /opentelemetry|dist.tracing/.test(file));
    console.log(JSON.stringify({ counts, loaded }));
    session.disconnect();
    await Promise.all([a.close(), b.close()]);
  }
  void main();`;

function counted(env: Record<string, string>): unknown {
  return JSON.parse(
    execFileSync(process.execPath, ['-e', PROGRAM], {
      encoding: 'utf8',
      env: { ...process.env, PACKAGE: root, ...env },
    }),
  );
}

test('without the option no code of tracing is loaded, and none is run for a connection, a message, a call or a file', () => {
  // That there is no option is looked at once for each agent.
  expect(counted({})).toEqual({ counts: { checkTracing: 2 }, loaded: [] });
  // With somebody who watches the same count is not zero.
  expect(counted({ TRACING: 'yes' })).toMatchObject({
    counts: { checkTracing: 2, traced: expect.any(Number) as number },
  });
});
