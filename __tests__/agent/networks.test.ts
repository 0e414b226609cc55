// Which way two agents find to each other through NATs and firewalls: the telling ones of the cells of docs/networks-table.md. Needs Linux
// and the right to make network namespaces, `ip`, `nft`, `openssl` and coturn. In CI it fails without them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const works = (file: string, ...args: string[]) => spawnSync(file, args).status === 0;
const possible =
  process.platform === 'linux' &&
  works('unshare', '--map-root-user', '--net', '--mount', 'nft', 'list', 'ruleset') &&
  works('turnserver', '--version');

interface Result {
  outcome: string;
  expected: string;
  message?: string;
  causes?: { kind: string }[];
  path?: { local: { relayProtocol?: string } };
}

const CELLS = {
  'port-restricted/carrier-grade/none': 'two behind NATs that keep their ports connect directly',
  'symmetric/symmetric/own': 'two behind symmetric NATs meet at the relay of our server',
  'tcp-443/tcp-443/own': 'two that may only dial TCP 443 meet at the relay of our server',
  'ipv6/udp-blocked/own': 'one with IPv6 alone and one without UDP meet at the relay of our server',
  'tcp-443/none/none': 'one that may only dial TCP 443 reaches one that listens there',
  'symmetric/symmetric/coturn/dns': 'names that DNS does not answer for keep nobody from the relay that there is',
  'udp-blocked/full-cone/none': 'one without UDP and without a relay is told so',
} as const;
type Cell = keyof typeof CELLS;

(possible || process.env['CI'] ? describe : describe.skip)('between two networks', () => {
  const results = new Map<string, Result>();

  // All at once: most of the time is waiting.
  beforeAll(() => {
    const script = join(__dirname, '..', '..', 'bench', 'networks', 'run.mjs');
    const args = ['--only', Object.keys(CELLS).join(','), '--jobs', '4'];
    const { stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
    for (const line of stdout.trim().split('\n')) {
      const result = JSON.parse(line) as Result & Record<'a' | 'b' | 'servers' | 'dead', string>;
      const { a, b, servers, dead } = result;
      results.set([a, b, servers, ...(dead === 'nothing' ? [] : [dead])].join('/'), result);
    }
    if (results.size < Object.keys(CELLS).length) throw new Error(stderr);
  }, 120_000);

  test.each(Object.entries(CELLS) as [Cell, string][])('%s: %s', (cell) => {
    const result = results.get(cell)!;
    expect(result.outcome).toBe(result.expected);
  });

  test('those who may dial nothing but TCP 443 reach the relay where the signaling is', () => {
    expect(results.get('tcp-443/tcp-443/own')!.path!.local.relayProtocol).toMatch(/^(tcp|tls)$/);
  });

  test('who fails is told on which side, and what to do', () => {
    const { causes, message } = results.get('udp-blocked/full-cone/none')!;
    expect(causes!.map(({ kind }) => kind)).toEqual(['server-unreachable', 'checks-unanswered']);
    expect(message).toContain('the STUN server');
    expect(message).toMatch(
      /this side knows addresses of its own network only: .*UDP seems to be blocked.*: use a TURN/,
    );
  });
});
