// From the file of results to rows, tables and the plot.
import { quantile } from '../measure.mjs';
import { consoleTable, markdownTable, notes } from '../report.mjs';
import { PARTS } from './parts.mjs';

const REFERENCE = 'node-datachannel';

/** The stacks of a part that have results. */
const stacksOf = (part, results) =>
  PARTS[part].stacks.filter((stack) => Object.values(results).some((cell) => cell[stack]));

function summary(runs, key) {
  const good = runs.filter((run) => run[key] !== undefined && !run.failed);
  const failed = runs.find((run) => run.failed)?.failed;
  if (good.length === 0) return { note: failed };
  const values = good.map((run) => run[key]);
  return { median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values), failed };
}

/** One row per cell and figure, as `../report.mjs` shows them. */
export function rowsOf(part, results, stacks = stacksOf(part, results)) {
  const { cells, figures } = PARTS[part];
  const rows = [];
  for (const { key, what, unit, more = false } of figures) {
    for (const { name } of cells.filter(({ name }) => results[name])) {
      const values = {};
      for (const stack of stacks) values[stack] = summary(results[name]?.[stack]?.runs ?? [], key);
      const [ours, theirs] = [values.ossa?.median, values[REFERENCE]?.median];
      const ratios = ours && theirs && key !== 'fair' ? { [REFERENCE]: ours / theirs } : {};
      rows.push({ title: `${what}, ${name}`, unit, more, values, ratios });
    }
  }
  return rows;
}

export function printed(part, results) {
  const stacks = stacksOf(part, results);
  const rows = rowsOf(part, results, stacks);
  return [PARTS[part].title, consoleTable(rows, stacks), ...notes(rows)].join('\n');
}

/** The section of a part in docs/benchmarks.md. */
export function published(part, results, machine) {
  const stacks = stacksOf(part, results);
  const rows = rowsOf(part, results, stacks);
  const cells = Object.values(results).flatMap((cell) => stacks.map((stack) => cell[stack]).filter(Boolean));
  const dates = cells.map(({ date }) => date.slice(0, 10)).sort();
  const days = [...new Set([dates[0], dates.at(-1)])].join(' to ');
  const runs = Math.max(...cells.map((cell) => cell.runs.length));
  const when = `${days}, median (range) of ${runs} run${runs === 1 ? '' : 's'}; ${machine}; ${versions(results, stacks)}.`;
  const why = notes(rows).map((note) => `- ${note}`);
  return [
    `### ${PARTS[part].title}`,
    `${PARTS[part].text} ${when}`,
    markdownTable(rows, stacks),
    ...(part === 'share' ? ['![Plot of the table](benchmarks-wan.svg)'] : []),
    ...(why.length > 0 ? [why.join('\n')] : []),
  ].join('\n\n');
}

/** Of each stack that said so. */
function versions(results, stacks) {
  const version = (stack) => {
    const runs = Object.values(results).flatMap((cell) => cell[stack]?.runs ?? []);
    return runs.find((run) => run.version)?.version;
  };
  return stacks
    .filter(version)
    .map((stack) => `${stack} ${version(stack)}`)
    .join(', ');
}
