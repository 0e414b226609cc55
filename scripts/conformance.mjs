// Writes what the Web Platform Tests say into docs/conformance.md, file by file.
// Usage: node scripts/conformance.mjs <results of run-wpt.mjs --media --out> and, or <results of conformance/media.mjs --out>
import { readFileSync, writeFileSync } from 'node:fs';

const results = process.argv.slice(2);
if (results.length === 0) {
  console.error(
    'node scripts/conformance.mjs <results of run-wpt.mjs --media --out> <results of conformance/media.mjs --out>',
  );
  process.exit(2);
}
const json = (url) => JSON.parse(readFileSync(url, 'utf8'));
const page = new URL('../docs/conformance.md', import.meta.url);
const shared = (name) => new URL(`../../shared/conformance/${name}`, import.meta.url);
const CATEGORIES = ['core', 'sdp', 'idl', 'media', 'idl-media'];

const selected = json(shared('wpt-manifest.json')).files;
const chromium = json(shared('wpt-reference-chromium.json')).files;
function passed({ status }) {
  return status === 'PASS';
}
/** Chromium's list has what it does not pass. */
const passesInChromium = (file, name) => chromium[file] !== undefined && !(name in chromium[file]);

function cell(passes, all) {
  if (all === 0) return '';
  return passes === all ? `${passes}/${all}` : `**${passes}/${all}**`;
}

/** Those that the shared selection has, by category. */
function byCategory(files) {
  const ours = new Map(
    files.map(({ file, subtests }) => [file, new Set(subtests.filter(passed).map(({ name }) => name))]),
  );
  const rows = Object.entries(selected).map(([file, categories]) => {
    const names = Object.keys(categories);
    const cells = CATEGORIES.map((category) => {
      const of = names.filter((name) => categories[name] === category);
      return cell(of.filter((name) => ours.get(file)?.has(name)).length, of.length);
    });
    const there = names.filter((name) => passesInChromium(file, name)).length;
    return `| \`${file.replace(/^webrtc\//, '')}\` | ${[...cells, there].join(' | ')} |`;
  });
  write('results by file', ['file', ...CATEGORIES, 'Chromium'], rows);
}

/** Those of our own selection. */
function ofMedia(files) {
  const rows = files.map(({ file, subtests }) => {
    const passes = subtests.filter(passed).length;
    return `| \`${file.replace(/^webrtc\//, '')}\` | ${cell(passes, subtests.length)} |`;
  });
  const all = files.flatMap(({ subtests }) => subtests);
  write(
    'results of media by file',
    ['file', 'passed'],
    [...rows, `| all | ${cell(all.filter(passed).length, all.length)} |`],
  );
}

for (const result of results) {
  const { files } = json(result);
  if (files.some(({ file }) => file in selected)) byCategory(files);
  else ofMedia(files);
}

/** Writes a table between its marks. */
function write(name, head, rows) {
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/conformance.md has no marks for the ${name}`);
  const table = [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...rows];
  writeFileSync(page, [text.slice(0, from) + start, '', ...table, '', text.slice(to)].join('\n'));
}
