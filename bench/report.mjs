// From raw cells to rows: medians and ranges, ratios to two well-known stacks, as console table, Markdown and data for the plot.
import { quantile } from './measure.mjs';

export const STACKS = ['ossa', 'node-datachannel', 'wrtc', 'werift', 'webrtc-rs', 'str0m', 'rustrtc', 'ws'];
export const SIZES = [64, 1024, 16 * 1024, 64 * 1024, 1024 * 1024];
const REFERENCES = ['node-datachannel', 'ws'];

export const TITLES = {
  ossa: 'ossa-webrtc',
  'node-datachannel': 'node-datachannel',
  wrtc: '@roamhq/wrtc',
  werift: 'werift',
  'webrtc-rs': 'webrtc (Rust)',
  str0m: 'str0m',
  rustrtc: 'rustrtc',
  ws: 'ws (no encryption)',
  'tcp-cubic': 'TCP CUBIC (kernel)',
  'tcp-reno': 'TCP Reno (kernel)',
  'tcp-bbr': 'TCP BBR (kernel)',
};

export function sizeName(bytes) {
  if (bytes >= 1024 * 1024) return `${bytes / 1024 / 1024} MiB`;
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

/** What is shown: its name, unit, whether more is better, and how to read one run's cell. */
function metrics({ atOnce = 2000 }) {
  const many = `${atOnce.toLocaleString('en-US')} set up at once`;
  const list = SIZES.map((size) => ({
    title: `throughput, ${sizeName(size)} messages`,
    unit: 'MB/s',
    more: true,
    cell: `throughput ${size}`,
    read: (cell) => [cell.megabytesPerSecond],
  }));
  list.splice(1, 0, {
    title: 'rate of 64 B messages',
    unit: 'msg/s',
    more: true,
    cell: 'throughput 64',
    read: (cell) => [cell.messagesPerSecond],
  });
  return [
    ...list,
    { title: 'round trip of 64 B, p50', unit: 'µs', cell: 'round trip', read: (cell) => [cell.p50] },
    { title: 'round trip of 64 B, p99', unit: 'µs', cell: 'round trip', read: (cell) => [cell.p99] },
    { title: 'set-up, p50', unit: 'ms', cell: 'setup', read: (cell) => cell.ms, q: 0.5 },
    { title: 'set-up, p90', unit: 'ms', cell: 'setup', read: (cell) => cell.ms, q: 0.9 },
    { title: 'set-up, slowest', unit: 'ms', cell: 'setup', read: (cell) => cell.ms, q: 1 },
    { title: `${many}, p50`, unit: 'ms', cell: 'at once', read: (cell) => cell.ms, q: 0.5 },
    { title: `${many}, p99`, unit: 'ms', cell: 'at once', read: (cell) => cell.ms, q: 0.99 },
    { title: `${many}, failed`, unit: '', cell: 'at once', read: (cell) => [cell.missing] },
    {
      title: 'CPU, 64 KiB messages, both processes',
      unit: 's/GB',
      cell: 'throughput 65536',
      read: (cell) => [cell.cpuSecondsPerGigabyte],
    },
    { title: 'memory per idle connection and side', unit: 'kB', cell: 'memory', read: (cell) => [cell.perSide] },
  ];
}

/** One row per metric: `{title, unit, more, values: {stack: {median, min, max} | {note}}, ratios: {reference: number}}`. */
export function summarize(results) {
  return metrics(results.options)
    .map((metric) => {
      const values = {};
      for (const stack of results.stacks) values[stack] = summary(metric, results.runs, stack);
      const ours = values.ossa?.median;
      const ratios = {};
      for (const reference of REFERENCES) {
        const theirs = values[reference]?.median;
        if (ours && theirs) ratios[reference] = ours / theirs;
      }
      return { title: metric.title, unit: metric.unit, more: metric.more ?? false, values, ratios };
    })
    .filter((row) => Object.values(row.values).some((value) => value.median !== undefined || value.note));
}

function summary(metric, runs, stack) {
  const cells = runs.map((run) => run[stack]?.[metric.cell]).filter(Boolean);
  const good = cells.filter((cell) => !cell.skipped && !cell.failed);
  if (good.length === 0) return { note: cells[0]?.skipped ?? cells[0]?.failed };
  const values = good.flatMap((cell) => metric.read(cell));
  const failed = cells.find((cell) => cell.failed)?.failed;
  return { median: quantile(values, metric.q ?? 0.5), min: Math.min(...values), max: Math.max(...values), failed };
}

/** Three significant digits are more than the machine's noise allows. */
export function show(value) {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return Number(value.toPrecision(3)).toString();
}

function cellText(value) {
  if (value?.median === undefined) return '–';
  const spread = value.min === value.max ? '' : ` (${show(value.min)}–${show(value.max)})`;
  return `${show(value.median)}${spread}${value.failed ? ' *' : ''}`;
}

/** The rows as lists of text, head first. */
function grid(rows, stacks) {
  const references = REFERENCES.filter((reference) => stacks.includes(reference) && stacks.includes('ossa'));
  const head = ['', 'unit', ...stacks.map((stack) => TITLES[stack]), ...references.map((name) => `ours / ${name}`)];
  const body = rows.map((row) => [
    row.title,
    row.unit,
    ...stacks.map((stack) => cellText(row.values[stack])),
    ...references.map((name) => (row.ratios[name] === undefined ? '–' : `${show(row.ratios[name])}×`)),
  ]);
  return [head, ...body];
}

/** Why cells are empty. */
export function notes(rows) {
  const lines = new Set();
  for (const row of rows) {
    for (const [stack, { note, failed }] of Object.entries(row.values)) {
      if (note) lines.add(`${TITLES[stack]}, ${row.title}: ${note}`);
      if (failed) lines.add(`${TITLES[stack]}, ${row.title}: one run failed (${failed})`);
    }
  }
  return [...lines];
}

export function consoleTable(rows, stacks) {
  const lines = grid(rows, stacks);
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) => line.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  '))
    .join('\n');
}

export function markdownTable(rows, stacks) {
  const [head, ...body] = grid(rows, stacks);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i < 2 ? '---' : '---:'))), ...body.map(line)].join('\n');
}
