// Keeps the results of `run.mjs` in results.json, and makes the tables of docs/reconnection.md of them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { DISTURBANCES } from './disturbances.mjs';

const results = new URL('results.json', import.meta.url);
const page = new URL('../../docs/reconnection.md', import.meta.url);

const read = () => (existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : {});

/** In short what the sender was told. */
function inShort(told) {
  const words = told
    .filter(({ role }) => role === 'send')
    .map(({ state, refresh, how, reconnected, closed }) => state ?? refresh ?? how ?? reconnected ?? closed);
  return [...new Set(words.filter((word) => word !== undefined))].join(', ') || 'nothing';
}

/** Takes the result of a row, and writes the page anew. */
export function save(name, by, { complete, gone, stall, took, told }, megabytes) {
  const all = read();
  all[name] = { ...all[name], [by]: { complete, gone, stall, took, megabytes, told: inShort(told) } };
  const sorted = Object.fromEntries(
    Object.keys(DISTURBANCES).flatMap((known) => (all[known] ? [[known, all[known]]] : [])),
  );
  writeFileSync(results, `${JSON.stringify(sorted, undefined, 2)}\n`);
  console.log(`${name}, ${by}: ${cell(sorted[name][by])}`);
  publish();
}

/** Writes the tables of the page anew, from what there is. */
export function publish() {
  const text = readFileSync(page, 'utf8');
  const marks = ['<!-- disturbances -->', '<!-- end of disturbances -->'];
  const [before, rest] = text.split(marks[0]);
  writeFileSync(page, `${before}${marks[0]}\n\n${tables(read())}\n\n${marks[1]}${rest.split(marks[1])[1]}`);
}

const seconds = (number) => (number === undefined ? '' : `${number.toFixed(1)} s`);

/** How long it stalled; in bold if that was too long. */
function cell(result, goal = Infinity) {
  if (!result) return '';
  const { complete, gone, stall, took } = result;
  if (!complete) return gone === undefined ? '**lost**' : '**closed**';
  const text = seconds(stall ?? took);
  return (stall ?? 0) <= goal ? text : `**${text}**`;
}

function tables(all) {
  const lines = [
    '| disturbance | in theory | to reach | stall, channel | stall, file | the sender was told |',
    '|---|---|---|---|---|---|',
  ];
  for (const [name, { what, theory, goal, act }] of Object.entries(DISTURBANCES)) {
    const { channel, file } = all[name] ?? {};
    if (!act || !(channel ?? file)) continue;
    const told = [...new Set([channel, file].filter(Boolean).map(({ told }) => told))].join('; ');
    const [limit, ideal, reach] = name === 'nothing' ? [1, '', ''] : [goal, `${theory} s`, `${goal} s`];
    lines.push(`| ${what} | ${ideal} | ${reach} | ${cell(channel, limit)} | ${cell(file, limit)} | ${told} |`);
  }
  lines.push('', '| connecting, and 10 MB | channel | file |', '|---|---|---|');
  for (const [name, { what, act }] of Object.entries(DISTURBANCES)) {
    const { channel, file } = all[name] ?? {};
    if (!act && (channel ?? file))
      lines.push(`| ${what.replace('connecting ', '')} | ${cell(channel)} | ${cell(file)} |`);
  }
  return lines.join('\n');
}
