// Whether a reader of a built site gets everywhere: what links lead to is there, headings included, and no page is left that no link leads to.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, posix, relative } from 'node:path';

/** The pages of a built site by their path from its folder, but the one for addresses that are none. */
export function pagesOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.html'))
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)).replaceAll('\\', '/'))
    .filter((path) => path !== '404.html');
  return new Map(files.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

const attribute = (html, pattern) => [...html.matchAll(pattern)].map((match) => match[1].replaceAll('&amp;', '&'));

/** Where a link of the page at `path` leads to in the site, `{ path, anchor }`, or nothing if it leads out of it. */
function target(link, path, base) {
  if (/^(?!https?:)[a-z]+:/i.test(link)) return undefined;
  const site = 'https://site.invalid';
  const url = new URL(link, `${site}${base}${path}`);
  if (url.origin !== site) return undefined;
  if (!url.pathname.startsWith(base)) return { path: `outside of ${base}: ${url.pathname}` };
  const file = decodeURIComponent(url.pathname.slice(base.length)).replace(/(^|\/)$/, '$1index.html');
  return { path: posix.normalize(file), anchor: decodeURIComponent(url.hash.slice(1)) };
}

/** What is wrong with the links of the site in `folder`, which is served at `base`, a line each. */
export function brokenLinks(folder, base) {
  const pages = pagesOf(folder);
  const ids = new Map([...pages].map(([path, html]) => [path, new Set(attribute(html, / id="([^"]*)"/g))]));
  const problems = new Set();
  const reached = new Set();
  const waiting = ['index.html'];
  while (waiting.length > 0) {
    const path = waiting.pop();
    if (reached.has(path) || !pages.has(path)) continue;
    reached.add(path);
    for (const link of attribute(pages.get(path), /<a\b[^>]* href="([^"]*)"/g)) {
      const to = target(link, path, base);
      if (to) waiting.push(to.path);
    }
  }
  for (const [path, html] of pages) {
    if (!reached.has(path)) problems.add(`${path}: no link leads to it`);
    for (const link of attribute(html, / href="([^"]*)"/g)) {
      const to = target(link, path, base);
      if (!to) continue;
      if (!existsSync(join(folder, to.path))) problems.add(`${path}: leads to ${link}, which is not there`);
      else if (to.anchor && ids.has(to.path) && !ids.get(to.path).has(to.anchor)) {
        problems.add(`${path}: leads to ${link}, where no heading has that name`);
      }
    }
    for (const link of attribute(html, /<(?:script|img|link|iframe)\b[^>]* (?:src|href)="([^"]*)"/g)) {
      const to = target(link, path, base);
      if (!to && !link.startsWith('data:')) problems.add(`${path}: loads ${link} from elsewhere`);
      else if (to && !existsSync(join(folder, to.path))) problems.add(`${path}: shows ${link}, which is not there`);
    }
  }
  return [...problems];
}
