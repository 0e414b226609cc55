// Tables of the documentation that programs write.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const line = (cells) => `| ${cells.join(' | ')} |`;

/** Writes a table into a document, between the comments `<!-- NAME -->` and `<!-- /NAME -->`. */
export function writeTable(document, name, head, rows) {
  const path = join(root, document);
  const text = readFileSync(path, 'utf8');
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${document} has no ${start.trim()} ... ${end}`);
  const table = [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
  writeFileSync(path, `${text.slice(0, from)}${start}\n${table}\n\n${text.slice(to)}`);
}
