// The results as a page of the documentation.
import { DEAD, KINDS, SERVERS } from './kinds.mjs';

const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

/** `docs/networks-table.md`. */
export function page(results, slowed) {
  const right = results.filter(({ outcome, expected }) => outcome === expected).length;
  return `# Which way agents find to each other

Written by \`node bench/networks/run.mjs\`: every two of nine kinds of networks, made of network namespaces and nftables, with two processes that
call each other with \`createPeer\` over our signaling server (\`wss:\`, port 443). Each cell has the path that is in use a moment after \`open\`, as \`getStats()\`
tells it, and the time from \`connect()\` to \`open\`, of one call, on two processors that others used as well. ${right} of ${results.length} cells are what
[theory](#what-theory-says) allows at best${right === results.length ? '' : '; the others are marked with **!**'}.

${Object.entries(SERVERS)
  .map(([servers, what]) => `## With ${what}\n\n${matrix(results.filter((result) => result.servers === servers))}`)
  .join('\n\n')}

*UDP* and *TCP* are direct; *relay* is followed by how a side that sends through its own relayed address reaches the relay. The other side then sends to that address directly; where nothing
follows, each sends to the relayed address of the other.

## What is said where there is no way

Without a relay, ${results.filter(({ outcome }) => outcome === 'no').length} pairs can't connect. What \`connect()\` rejects with says why (\`error.causes\` has it as data):

${table(['from', 'to', 'kinds', 'after', 'in words'], failures(results))}

## Servers that do not answer

Silent servers at the head of \`iceServers\`, before those that work. Median of nine calls, and the slowest.

${table(
  ['silent', 'direct path', 'relayed path'],
  Object.entries(DEAD).map(([dead, what]) => [what, ...times(slowed, dead)]),
)}

## What theory says

- Two that have no family of addresses in common meet at a relay that has both.
- Over UDP checks meet, unless a side blocks it, or one is behind a NAT that uses another port for each destination (symmetric) and the other lets in nothing but
  answers of the very port that it has sent to: port-restricted and symmetric NATs, those of carriers, firewalls.
- Over TCP whoever may dial reaches whoever can be dialled: one without a NAT, and with a passive candidate, for which \`transport.tcp\` is there. In the last table it is at port 443, so that
  those reach it as well who are let out nowhere else.
- The rest takes a relay.
`;
}

function matrix(results) {
  const kinds = Object.keys(KINDS);
  const cell = (a, b) => {
    const result = results.find((one) => (one.a === a && one.b === b) || (one.a === b && one.b === a));
    return result ? inShort(result) : '';
  };
  const rows = kinds.map((a, index) => [KINDS[a].what, ...kinds.map((b, other) => (other < index ? '' : cell(a, b)))]);
  return table(['', ...kinds.map((kind) => KINDS[kind].what)], rows);
}

function inShort(result) {
  const { outcome, expected, open, path, there } = result;
  const mark = outcome === expected ? '' : ' **!**';
  if (outcome === 'no') return `none${mark}`;
  const way = outcome === 'relay' ? ['relay', relays(path, there)].filter(Boolean).join(' ') : outcome.toUpperCase();
  return `${way} ${open} ms${mark}`;
}

/** How each side that sends through a relayed address of its own reaches the relay. */
function relays(path, there) {
  const own = [path, there].flatMap((side) => side?.local.relayProtocol ?? []);
  return own.length > 0 ? `(${own.map((protocol) => protocol.toUpperCase()).join(' + ')})` : '';
}

function failures(results) {
  return results
    .filter(({ outcome }) => outcome === 'no')
    .map(({ a, b, failed, causes, message }) => [
      KINDS[a].what,
      KINDS[b].what,
      causes.map(({ kind }) => `\`${kind}\``).join(', '),
      `${(failed / 1000).toFixed(0)} s`,
      message.replaceAll('|', '\\|'),
    ]);
}

function times(slowed, dead) {
  return ['port-restricted', 'symmetric'].map((kind) => {
    const result = slowed.find((one) => one.a === kind && one.dead === dead);
    return result?.times ? `${result.open} ms (${Math.max(...result.times)} ms)` : 'never';
  });
}
