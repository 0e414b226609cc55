// What the built site must be: complete in its links, and found by the search that runs in the reader's browser.
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from '../setup.mjs';
import { brokenLinks, pagesOf } from './links.mjs';

/** Pages that a search for their own title does not find. */
async function notFound(folder, base) {
  const chunks = join(folder, 'assets', 'chunks');
  const index = readdirSync(chunks).find((name) => name.startsWith('@localSearchIndex'));
  if (!index) return ['there is no index for the search'];
  const MiniSearch = createRequire(join(root, 'site', 'package.json'))('minisearch');
  const module = readFileSync(join(chunks, index), 'base64');
  const { default: json } = await import(`data:text/javascript;base64,${module}`);
  // As the search box of the site reads it.
  const search = MiniSearch.loadJSON(json, { fields: ['title', 'titles', 'text'], storeFields: ['title', 'titles'] });
  const problems = [];
  for (const [path, html] of pagesOf(folder)) {
    // The first page begins with the name of the package, which is a heading of others, too.
    const heading = path === 'index.html' ? 'h2' : 'h1';
    const title = new RegExp(`<${heading}[^>]*>((?:(?!</${heading}>)[^])*?)<a class="header-anchor"`)
      .exec(html)?.[1]
      .replace(/<[^>]+>/g, '')
      .trim();
    if (!title) {
      problems.push(`${path}: has no title`);
      continue;
    }
    const address = base + path.replace(/(^|\/)index\.html$/, '$1');
    const found = search.search(title, { combineWith: 'AND' }).some(({ id }) => id.split('#')[0] === address);
    if (!found) problems.push(`${path}: a search for "${title}" does not find it`);
  }
  return problems;
}

/** The number of pages of the site in `folder`, which is served at `base`, and what is wrong with it, a line each. */
export async function checked(folder, base) {
  return { pages: pagesOf(folder).size, problems: [...brokenLinks(folder, base), ...(await notFound(folder, base))] };
}
