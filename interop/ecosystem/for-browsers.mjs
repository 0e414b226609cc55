// A hook of Node: it loads what @libp2p/webrtc has for browsers, as its package.json says in `browser`.
import { readFileSync } from 'node:fs';

export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  const [, root, file] = /^(file:.*\/node_modules\/@libp2p\/webrtc\/)(.*)/.exec(found.url) ?? [];
  if (root === undefined) return found;
  const { browser } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  const instead = browser[`./${file}`];
  return instead ? { ...found, url: new URL(instead, root).href } : found;
}
