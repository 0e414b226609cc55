// Tables of the documentation that programs write.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const line = (cells) => `| ${cells.join(' | ')} |`;

/** Where a document has a table: between the comments `<!-- NAME -->` and `<!-- /NAME -->`. */
function place(document, name) {
  const path = join(root, document);
  const text = readFileSync(path, 'utf8');
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${document} has no ${start.trim()} ... ${end}`);
  return { path, text, from: from + start.length, to };
}

/** The rows of a table that is there, without its head: the cells of each. */
export function tableRows(document, name) {
  const { text, from, to } = place(document, name);
  const lines = text.slice(from, to).trim().split('\n').slice(2);
  return lines.map((row) => row.slice('| '.length, -' |'.length).split(' | '));
}

/** Writes a table into a document, in place of the one that is there. */
export function writeTable(document, name, head, rows) {
  const { path, text, from, to } = place(document, name);
  const table = [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
  writeFileSync(path, `${text.slice(0, from)}\n${table}\n\n${text.slice(to)}`);
}
