// From cells to a table: medians over the rounds, and ratios to the others.
const TITLES = { ossa: 'ossa-webrtc', rust: 'ossa-signaling (Rust)', peer: 'peer (PeerJS)', ws: 'ws relay' };
const MIB = 2 ** 20;

const relayed = (part, title) => [
  [`${title}: relayed`, 'msg/s', part, 'messagesPerSecond', 1, 'more'],
  [`${title}: CPU of the server`, 'µs/msg', part, 'serverMicrosPerMessage', 1, 'less'],
  [`${title}, half of its own load: delay p50`, 'µs', `${part}, half`, 'p50', 1],
  [`${title}, half of its own load: delay p99`, 'µs', `${part}, half`, 'p99', 1],
  [`${title}, half of the slowest's load: delay p50`, 'µs', `${part}, equal`, 'p50', 1, 'less'],
  [`${title}, half of the slowest's load: delay p99`, 'µs', `${part}, equal`, 'p99', 1, 'less'],
];

/** Title, unit, part, field, divisor, what is better if a ratio makes sense. */
const ROWS = [
  ...relayed('pipelined', '32 senders, 32 messages under way each'),
  ...relayed('one by one', '500 senders, one message under way each'),
  ['through a cluster, 32 senders, 32 messages under way each: relayed', 'msg/s', 'cluster', 'messagesPerSecond', 1],
  ['… CPU of the senders’ server', 'cores', 'cluster', 'senderCores', 1],
  ['… CPU of the recipients’ server', 'cores', 'cluster', 'recipientCores', 1],
  ['… CPU of Redis', 'cores', 'cluster', 'redisCores', 1],
  ['… half of that load: delay p50', 'µs', 'cluster, half', 'p50', 1],
  ['… half of that load: delay p99', 'µs', 'cluster, half', 'p99', 1],
  ['time to register all agents', 's', 'hold', 'seconds', 1, 'less'],
  ['memory of the process before', 'MiB', 'hold', 'before', MIB],
  ['memory of the process with all agents', 'MiB', 'hold', 'rss', MIB, 'less'],
  ['… 5 s later', 'MiB', 'hold', 'settled', MIB, 'less'],
  ['memory per agent', 'KiB', 'hold', 'perAgent', 1024, 'less'],
  ['agents not registered or lost', '', 'hold', (cell) => cell.failed + cell.lost, 1],
  ['delay of others p99, calm', 'µs', 'flood', 'calmP99', 1],
  ['… while one agent floods', 'µs', 'flood', 'floodedP99', 1, 'less'],
  ['… messages of others that did not arrive in time', '', 'flood', 'missing', 1],
  ['… what of the flood was relayed', 'msg/s', 'flood', 'floodRelayed', 1],
  ['delay of others p99 with 10,000 half-open handshakes', 'µs', 'half-open', 'attackedP99', 1, 'less'],
  ['… messages of others that did not arrive in time', '', 'half-open', 'missing', 1],
  ['… memory for them', 'MiB', 'half-open', 'memory', MIB],
  ['agents register', 's', 'connect', 'registerSeconds', 1],
  ['half connect to the other half at once: median', 's', 'connect', 'median', 1],
  ['… the last of them', 's', 'connect', 'last', 1],
  ['… failed', '', 'connect', 'failed', 1],
  ['… CPU of the server for it', 's', 'connect', 'serverCpuSeconds', 1],
];

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Three significant digits are more than the noise allows. */
function show(value) {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return Number(value.toPrecision(3)).toString();
}

function values(results, server, part, field, divisor) {
  const read = typeof field === 'function' ? field : (cell) => cell[field];
  return results.cells
    .filter((cell) => cell.server === server && cell.part === part && cell.error === undefined)
    .map((cell) => read(cell) / divisor)
    .filter((value) => !Number.isNaN(value));
}

/** The rows as lists of text, head first. */
function grid(results, servers) {
  const own = servers.find((server) => server === 'ossa' || server === 'rust');
  const references = own ? servers.filter((server) => server === 'peer' || server === 'ws') : [];
  const head = ['', 'unit', ...servers.map((server) => TITLES[server]), ...references.map((name) => `ours / ${name}`)];
  const body = ROWS.flatMap(([title, unit, part, field, divisor, better]) => {
    const found = servers.map((server) => values(results, server, part, field, divisor));
    if (found.every((list) => list.length === 0)) return [];
    const medians = found.map((list) => (list.length === 0 ? undefined : median(list)));
    const cells = found.map((list, index) => {
      const spread = list.length > 1 ? ` (${show(Math.min(...list))}–${show(Math.max(...list))})` : '';
      return show(medians[index]) + spread;
    });
    const ours = medians[servers.indexOf(own)];
    const ratios = references.map((name) => {
      const ratio = ours / medians[servers.indexOf(name)];
      return better && Number.isFinite(ratio) ? `${show(ratio)}×` : '–';
    });
    return [[title, unit, ...cells, ...ratios]];
  });
  return [head, ...body];
}

export function table(results, servers) {
  const lines = grid(results, servers);
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) => line.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  '))
    .join('\n');
}

export function markdown(results, servers) {
  const [head, ...body] = grid(results, servers);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i < 2 ? '---' : '---:'))), ...body.map(line)].join('\n');
}
