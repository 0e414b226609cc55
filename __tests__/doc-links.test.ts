// Links between the documents lead somewhere: the file is there, in the package as well, and so is the heading.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

const root = join(__dirname, '..');
const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
const isPacked = (path: string) => [...files, 'README.md'].some((name) => path === name || path.startsWith(name + sep));

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [join('docs', name)] : [])),
  join('examples', 'README.md'),
];

/** The text without fenced blocks and inline code, where brackets mean other things. */
function prose(file: string): string {
  return readFileSync(file, 'utf8').replace(/^```.*?^```$/gms, '');
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(file: string): string[] {
  return [...prose(file).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(document: string): string[] {
  const file = join(root, document);
  const links = [
    ...prose(file)
      .replace(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map((match) => match[1]!);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path, anchor] = link.split('#') as [string, string?];
    const target = path === '' ? file : join(dirname(file), path);
    if (!isPacked(relative(root, target)) || !existsSync(target)) return true;
    return anchor !== undefined && !anchors(target).includes(anchor);
  });
}

test.each(documents)('every link of %s leads to a file and a heading', (document) => {
  expect(brokenLinks(document)).toEqual([]);
});
