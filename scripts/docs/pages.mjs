// The pages of the documentation site, made from the files that are in the package: nothing is written twice. The generator gets a folder
// in which they lie as in the repository, so that the links between them are right as they are.
import { copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { root } from '../setup.mjs';

/** What links may lead to beside other pages; such a file becomes a page that shows it. */
const SHOWN = new Map([
  ['.mts', 'ts'],
  ['.mjs', 'js'],
  ['.html', 'html'],
  ['.service', 'ini'],
  ['', 'docker'],
]);

/** Where the page is that shows a file: its name must not be that of a page of the site, as `index.html` would be. */
const shownAt = (path) => `${path.replace(/\.(?=\w+$)/, '-')}.md`;

const read = (path) => readFileSync(join(root, path), 'utf8');

/** The text with `change` made outside of fenced blocks and inline code, where brackets mean other things. */
function inProse(text, change) {
  const code = /(^```[^]*?^```$|`[^`\n]*`)/gm;
  return text
    .split(code)
    .map((part, index) => (index % 2 === 1 ? part : change(part)))
    .join('');
}

/** README.md is the first page of its folder, and a file that is no page is shown by one. */
function ported(text) {
  return inProse(text, (prose) =>
    prose
      .replace(/<!--[^]*?-->\n?/g, '') // marks for the programs that write tables
      .replace(/\]\((?![a-z]+:)([^)\s#]+)((?:#[^)\s]*)?)\)/g, (link, path, anchor) => {
        if (path.endsWith('.md')) return `](${path.replace(/README\.md$/, 'index.md')}${anchor})`;
        return SHOWN.has(extname(path)) ? `](${shownAt(path)})` : link;
      }),
  );
}

/** Files of a folder that a page can show, at any depth. */
function shownFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && SHOWN.has(extname(entry.name)))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)).replaceAll('\\', '/'))
    .sort();
}

function showing(path) {
  return `# \`${path}\`\n\n\`\`\`${SHOWN.get(extname(path))}\n${read(path).trimEnd()}\n\`\`\`\n`;
}

/** Groups of links under `Read on` of README.md, which is the table of contents: `[{ title, links: [{ text, path }] }]`. */
export function contents(readme) {
  const part = /^## Read on\n([^]*?)^## /m.exec(readme)?.[1];
  if (part === undefined) throw new Error('README.md has no section "Read on" with a section behind it');
  return part
    .trim()
    .split(/\n\n+/)
    .map((paragraph) => {
      const title = /^([^[\]:]+): /.exec(paragraph)?.[1];
      const links = [...paragraph.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, text, path]) => ({ text, path }));
      return { title, links };
    });
}

/** The first page: what README.md begins with as its head, and the rest of it as it is. */
function home(readme) {
  const [, name, tagline, points, rest] = /^# (.+)\n\n([^\n]+)\n\n((?:- [^]*?)\n\n)([^]*)$/.exec(readme) ?? [];
  if (name === undefined) throw new Error('README.md does not begin with a title, a sentence and a list of points');
  const features = [...points.matchAll(/^- \*\*([^*]+)\*\*:? ?([^]*?)(?=\n- |\n\n)/gm)].map(([, title, details]) => ({
    title: titled(title.replaceAll('`', '')),
    details: sentence(details.replace(/\s+/g, ' ')),
  }));
  const head = {
    layout: 'home',
    hero: {
      name,
      tagline,
      actions: [
        { theme: 'brand', text: 'Agents', link: '/docs/agents' },
        { theme: 'alt', text: 'RTCPeerConnection', link: '/docs/guide' },
        { theme: 'alt', text: 'Which of these do I want?', link: '/docs/choosing' },
      ],
      image: { src: '/docs/overview.svg', alt: 'Two agents, a signaling server between them, and a direct connection' },
    },
    features,
  };
  // The picture stands in the head.
  return `---\n${JSON.stringify(head)}\n---\n\n${ported(rest.replace(/^!\[[^\]]*\]\(docs\/overview\.svg\)\n\n/m, ''))}`;
}

/** Markdown as a sentence of its own, in HTML: the head of a page knows no Markdown. */
function sentence(text) {
  const escaped = text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/^./, (letter) => letter.toUpperCase());
  return escaped.replace(/`([^`]+)`/g, '<code>$1</code>').replace(/\[([^\]]+)\]\([^)]+\)/g, '$1');
}

/** Writes the pages into `folder`, and says how they are grouped beside the text: `[{ text, items: [{ text, link }] }]`. */
export function writePages(folder) {
  const write = (path, text) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const readme = read('README.md');
  write('index.md', home(readme));
  for (const name of ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md']) write(name, ported(read(name)));
  for (const name of readdirSync(join(root, 'docs'))) {
    if (name.endsWith('.md')) write(`docs/${name}`, ported(read(`docs/${name}`)));
    else copyFileSync(join(root, 'docs', name), join(mkdirIn(folder, 'docs'), name));
  }
  // The head of the first page asks for it by name, which the generator does not follow.
  cpSync(join(root, 'docs', 'overview.svg'), join(mkdirIn(folder, 'public/docs'), 'overview.svg'));

  const examples = shownFiles('examples');
  write(
    'examples/index.md',
    ported(read('examples/README.md')).replace(/^\| `([\w./-]+)` \|/gm, (row, name) =>
      examples.includes(`examples/${name}`) ? `| [\`${name}\`](${shownAt(name)}) |` : row,
    ),
  );
  for (const path of [...examples, 'deploy/Dockerfile', 'deploy/ossa-webrtc-signal.service']) {
    write(shownAt(path), showing(path));
  }

  const link = (path) => `/${path.replace(/(^|\/)README\.md$/, '$1').replace(/\.md$/, '')}`;
  const [start, ...others] = contents(readme);
  const about = others.pop();
  const group = (text, links) => ({
    text,
    items: links.map((one) => ({ text: titled(one.text), link: link(one.path) })),
  });
  return {
    pages: [
      group('Start', start.links),
      ...others.map((one) => group(one.title, one.links)),
      group('About', about.links),
    ],
    examples: examples.map((path) => ({ text: path.replace('examples/', ''), link: link(shownAt(path)) })),
  };
}

function mkdirIn(folder, path) {
  mkdirSync(join(folder, path), { recursive: true });
  return join(folder, path);
}

const titled = (text) => text.replace(/^./, (letter) => letter.toUpperCase());
