// How the site looks and is searched. What stands in it is made by scripts/docs, which says by OSSA_DOCS where that lies.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

if (!process.env.OSSA_DOCS) throw new Error('OSSA_DOCS is not set: build the site by `npm run docs`');
const { source, out, base, version, contents } = JSON.parse(process.env.OSSA_DOCS);

/** Two ends and the line between them. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M8 16h16" stroke="#0a7f7f" stroke-width="4"/><g fill="#0b6e6e"><circle cx="7" cy="16" r="6"/><circle cx="25" cy="16" r="6"/></g></svg>';

/** Anchors as GitHub makes them, so that links are right in both. */
const slugify = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

/** What stands beside every page of the reference; interfaces and types, five times as many, are found from where they are used. */
const KINDS = [
  ['functions', 'Functions'],
  ['classes', 'Classes'],
];

function entry(name) {
  const folder = join(source, 'reference', name);
  const present = readdirSync(folder);
  return {
    text: name,
    link: `/reference/${name}/`,
    items: KINDS.filter(([kind]) => present.includes(kind)).map(([kind, text]) => ({
      text,
      items: readdirSync(join(folder, kind))
        .sort()
        .map((file) => file.replace(/\.md$/, ''))
        .map((one) => ({ text: one, link: `/reference/${name}/${kind}/${one}` })),
    })),
  };
}

/** A page for the index of the search, which reads what the colours of code are of no use to and has a renderer of its own. */
function plain(text, env, markdown) {
  markdown.options.highlight = (code) => `<pre>${markdown.utils.escapeHtml(code)}</pre>`;
  return markdown.render(text, env);
}

const entries = readdirSync(join(source, 'reference', 'ossa-webrtc'))
  .filter((name) => existsSync(join(source, 'reference', 'ossa-webrtc', name, 'index.md')))
  .map((name) => `ossa-webrtc/${name}`);

export default {
  title: 'ossa-webrtc',
  description: 'WebRTC data channels for Node.js, and agents that talk to each other over them',
  lang: 'en',
  base,
  srcDir: source,
  outDir: out,
  cacheDir: join(source, '.cache'),
  metaChunk: true,
  // The index of the search is one file, loaded when somebody searches.
  vite: { build: { chunkSizeWarningLimit: 4096 } },
  head: [
    ['meta', { name: 'color-scheme', content: 'light dark' }],
    ['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }],
  ],
  markdown: {
    // `<` in our pages means less than.
    html: false,
    anchor: { slugify },
    languageAlias: { mjs: 'js' },
  },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/docs/guide' },
      { text: 'Agents', link: '/docs/agents' },
      { text: 'Signaling', link: '/docs/signaling' },
      { text: 'API', link: '/reference/ossa-webrtc/' },
      { text: 'Which do I want?', link: '/docs/choosing' },
      { text: version, link: '/CHANGELOG' },
    ],
    sidebar: {
      '/reference/': [entry('ossa-webrtc'), ...entries.map(entry)],
      '/examples/': [
        { text: 'Examples', link: '/examples/', items: contents.examples },
        { text: 'Back', items: [{ text: 'Agents', link: '/docs/agents' }] },
      ],
      '/': [
        ...contents.pages,
        {
          text: 'Reference of the types',
          link: '/reference/',
          items: ['ossa-webrtc', ...entries].map((name) => ({ text: name, link: `/reference/${name}/` })),
        },
      ],
    },
    outline: [2, 3],
    search: { provider: 'local', options: { detailedView: true, _render: plain } },
    footer: { message: 'MIT or Apache-2.0, at your choice.' },
  },
};
