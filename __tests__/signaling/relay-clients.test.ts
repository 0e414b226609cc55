// The relay of a signaling server, judged by clients that are not ours.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

import type { SignalingServer } from 'ossa-webrtc';

import { relayOnly } from '../fixtures/relay-only';
import { startBrowser } from '../interop/browser';
import { selfSigned } from '../agent/self-signed';
import { iceServer, relayed, SECRET, serve } from './relay-setup';

const run = promisify(execFile);
const root = join(__dirname, '..', '..');

let server: SignalingServer;
beforeAll(async () => {
  // uclient sends as fast as it can from one user and one address.
  const plenty = { bandwidth: 1e9, bandwidthPerAgent: 1e9, bandwidthPerAddress: 1e9 };
  server = await serve(plenty, { tls: selfSigned() });
});
afterAll(() => server?.close());

const expected = { echo: 1006, kinds: ['relay'] };

describe.each(['chromium', 'firefox'] as const)('%s', (name) => {
  test('connects through nothing but the relay, by UDP, by TCP and by TLS', async () => {
    const page = `<!doctype html><script>${relayOnly.toString()}
globalThis.driver = { relay: ({ iceServers }) => relayOnly(RTCPeerConnection, iceServers) };</script>`;
    const browser = await startBrowser(name, page);
    try {
      for (const transport of ['udp', 'tcp', 'tls'] as const) {
        const { urls, ...rest } = iceServer(server, transport);
        // Firefox speaks TLS with names only.
        const named = transport === 'tls' ? [`turns:localhost:${server.port}?transport=tcp`] : urls;
        const outcome = await browser.call('relay', { iceServers: [{ urls: named, ...rest }] });
        expect({ transport, outcome }).toEqual({ transport, outcome: expected });
      }
    } finally {
      await browser.stop();
    }
  }, 60_000);
});

describe.each([
  ['werift', ['udp', 'tcp']],
  ['@roamhq/wrtc', ['udp', 'tcp']],
] as const)('%s', (stack, transports) => {
  test.each(transports)(
    'connects through nothing but the relay, by %s',
    async (transport) => {
      const [{ urls, ...rest }] = [iceServer(server, transport)];
      const servers = JSON.stringify([{ urls: [urls].flat()[0], ...rest }]);
      const { stdout } = await run(
        process.execPath,
        [join(root, '__tests__', 'fixtures', 'relay-only.js'), stack, servers],
        {
          cwd: root,
          timeout: 30_000,
        },
      );
      expect(JSON.parse(stdout)).toEqual(expected);
    },
    40_000,
  );
});

describe("coturn's own client", () => {
  const uclient = (options: readonly string[], timeout = 40_000, signal?: AbortSignal) => {
    const load = ['-y', '-c', '-m', '4', '-n', '50', '-z', '5', '-u', 'uclient', '-W', SECRET];
    return run('turnutils_uclient', [...options, ...load, '-p', String(server.port), '127.0.0.1'], { timeout, signal });
  };

  test('loses nothing, by channels and by indications, by UDP and by TCP, whatever it adds to its requests', async () => {
    const kinds = [[], ['-s'], ['-t'], ['-t', '-s'], ['-g'], ['-D'], ['-G'], ['-l', '1100']];
    const outcomes = await Promise.all(
      kinds.map(async (options) => ({ options, output: (await uclient(options)).stdout })),
    );
    for (const { options, output } of outcomes) {
      const lost = /Total lost packets (\d+)/.exec(output)?.[1];
      expect({ options, lost }).toEqual({ options, lost: '0' });
    }
  }, 60_000);

  test('is sent everything by TLS as well, of which it reads what it does', async () => {
    // It reads its TLS library once for each readable socket, so what came with the last message stays there: 12 to 18 % are "lost",
    // with coturn's own server as well. What counts is therefore what the relay has passed on: 4 clients send 50 messages each.
    const before = server.stats().relay!;
    const passed = () => server.stats().relay!.relayed - before.relayed;
    const ends = new AbortController();
    // It would wait for the lost ones.
    const running = [
      ['-t', '-S'],
      ['-t', '-S', '-s'],
    ].map((options) => uclient(options, undefined, ends.signal).catch((error: Error) => error.name));
    while (passed() < 400) await setTimeout(10);
    ends.abort();
    expect(await Promise.all(running)).toEqual(['AbortError', 'AbortError']);
    expect(passed()).toBe(400);
    const { congested, overBandwidth, notPermitted } = server.stats().relay!;
    expect({ ...before, congested, overBandwidth, notPermitted }).toEqual(before);
  }, 60_000);

  test('may send broken requests on purpose, and the relay goes on', async () => {
    // What becomes of it is no matter: refused as it is, it does not come to an end by itself.
    await uclient(['-N', '-R'], 3000).catch(() => undefined);
    await expect(relayed(iceServer(server, 'udp'))).resolves.toBe('relay');
  }, 60_000);
});
