// The check of the documentation site that CI runs, on sites of a few pages.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ossa-docs-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const program = `
import { brokenLinks } from './scripts/docs/links.mjs';
console.log(JSON.stringify(brokenLinks(process.argv[1], process.argv[2])));
`;

function problems(files: Record<string, string>, base = '/'): string[] {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const args = ['--input-type=module', '--eval', program, folder, base];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as string[];
}

test('a site whose links all lead somewhere has no problems, whatever path it is served at', () => {
  for (const base of ['/', '/ossa-webrtc/']) {
    const found = problems(
      {
        'index.html': `<link href="${base}style.css"><h2 id="top">x</h2><a href="docs/a.html#h">a</a><a href="#top">t</a>`,
        'docs/a.html': `<h1 id="h">a</h1><a class="x" href="${base}">home</a><img src="../style.css"><a href="https://example.com/#x">e</a>`,
        'style.css': '',
        '404.html': '<a href="/nowhere">never looked at</a>',
      },
      base,
    );
    expect(found).toEqual([]);
  }
});

test('links to pages and headings that are not there, and pages that no link leads to, are named', () => {
  const found = problems({
    'index.html': '<a href="/a.html#gone">a</a><a href="b.html">b</a>',
    'a.html': '<h1 id="here">a</h1><img src="/c.svg">',
    'alone.html': '<a href="alone-too.html">to each other</a>',
    'alone-too.html': '<a href="alone.html">to each other</a>',
  });
  expect(found.sort()).toEqual([
    'a.html: shows /c.svg, which is not there',
    'alone-too.html: no link leads to it',
    'alone.html: no link leads to it',
    'index.html: leads to /a.html#gone, where no heading has that name',
    'index.html: leads to b.html, which is not there',
  ]);
});

test('a site that is served below a path may not lead out of it, and none loads anything from elsewhere', () => {
  const found = problems(
    { 'index.html': '<a href="/docs/">d</a><script src="https://cdn.example/x.js"></script>' },
    '/ossa-webrtc/',
  );
  expect(found).toEqual([
    'index.html: leads to /docs/, which is not there',
    'index.html: loads https://cdn.example/x.js from elsewhere',
  ]);
});
