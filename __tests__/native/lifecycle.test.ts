import { runFixture } from './support';

describe('the process', () => {
  test('ends by itself after close()', async () => {
    expect(await runFixture('exit-after-close.js')).toMatchObject({
      code: 0,
      signal: null,
      stdout: 'closed\n',
      stderr: '',
    });
  });

  test('ends by itself after the other side has closed the connection', async () => {
    expect(await runFixture('exit-after-remote-close.js')).toMatchObject({
      code: 0,
      signal: null,
      stdout: 'closed by a\n',
      stderr: '',
    });
  });

  test('ends although peers exist that were never used, or are unref-ed', async () => {
    expect(await runFixture('exit-unused.js')).toMatchObject({ code: 0, signal: null, stdout: 'unref\n', stderr: '' });
  });

  test('stays alive as long as a connected peer is open', async () => {
    expect(await runFixture('stay-alive.js')).toMatchObject({
      code: 0,
      signal: null,
      stdout: 'still here\n',
      stderr: '',
    });
  });

  test('may exit in the middle of traffic', async () => {
    for (let i = 0; i < 3; i++) {
      expect(await runFixture('exit-in-traffic.js', ['exit'])).toMatchObject({ code: 0, signal: null, stderr: '' });
    }
  }, 60_000);

  test('ends with the exit code of an uncaught exception that a listener has thrown', async () => {
    const outcome = await runFixture('exit-in-traffic.js', ['throw']);
    expect(outcome).toMatchObject({ code: 1, signal: null });
    expect(outcome.stderr).toContain('on purpose');
  });

  test('treats whatever listeners throw as ordinary uncaught exceptions, and delivers the rest', async () => {
    const outcome = await runFixture('listener-throws.js');
    expect(outcome).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(JSON.parse(outcome.stdout)).toEqual({
      received: ['throw', 'tick', 'reject', 'microtask', 'throw', 'done'],
      uncaught: ['thrown', 'in a tick', 'rejected', 'in a microtask', 'thrown'],
    });
  });

  test('can be killed in the middle of traffic', async () => {
    expect(await runFixture('exit-in-traffic.js', ['kill'])).toMatchObject({ signal: 'SIGTERM', stderr: '' });
  });

  test('does not grow with the number of connections that it has closed', async () => {
    const outcome = await runFixture('many-closed.js', ['300']);
    expect(outcome).toMatchObject({ code: 0, signal: null, stderr: '' });
    // 600 peers of some 250 KB each would be 150 MiB.
    expect(Number(outcome.stdout)).toBeLessThan(60);
  }, 60_000);

  test('collects and closes peers that nobody holds', async () => {
    const outcome = await runFixture('garbage.js', [], ['--expose-gc']);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'collected 50 of 50\n', stderr: '' });
  });
});

describe('a terminated worker with open, busy peers', () => {
  test('leaves the main thread and its connection running, 20 rounds', async () => {
    const outcome = await runFixture('terminated-workers.js', ['20']);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'survived 20\n', stderr: '' });
  }, 90_000);

  test('does no harm when only workers have loaded the module', async () => {
    const outcome = await runFixture('terminated-workers.js', ['5', 'alone']);
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'survived 5\n', stderr: '' });
  }, 60_000);
});
