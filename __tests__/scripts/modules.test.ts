// The check of the crates' imports that CI runs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ossa-modules-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function check(files: Record<string, string>): { status: number | null; problems: string } {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const { status, stderr } = spawnSync(process.execPath, ['scripts/modules.mjs', folder], { encoding: 'utf8' });
  return { status, problems: stderr };
}

test('files that need each other are named', () => {
  const { status, problems } = check({
    'lib.rs': 'mod a;\nmod b;\nmod c;\npub use a::A;',
    'a.rs': 'use crate::b::{self, B};\npub struct A(B);',
    'b.rs': 'pub struct B;\npub fn last() { crate::c::third() }',
    'c.rs': 'pub(crate) fn third() { let _ = super::a::A; }',
  });
  expect(status).toBe(1);
  expect(problems).toMatch(/^need each other: \S*a\.rs, \S*b\.rs, \S*c\.rs\n$/);
});

test('files that need each other through the face of a folder are named', () => {
  const { status, problems } = check({
    'lib.rs': 'mod room;\nmod other;',
    'room/mod.rs': 'mod inner;\npub(crate) use inner::Inner;',
    'room/inner.rs': 'use crate::other::help;\npub struct Inner;\nfn work() { help() }',
    'other.rs': 'use crate::room::Inner;\npub fn help() { let _: Option<Inner> = None; }',
  });
  expect(status).toBe(1);
  expect(problems).toMatch(/^need each other: \S*other\.rs, \S*inner\.rs\n$/);
});

test('a file that imports from the face of its crate is named', () => {
  const { status, problems } = check({
    'lib.rs': 'mod a;\nmod b;\npub use a::A;',
    'a.rs': 'pub struct A;',
    'b.rs': 'use crate::A;\nfn b() { let _ = A; }',
  });
  expect(status).toBe(1);
  expect(problems).toMatch(/b\.rs imports crate::A from lib\.rs/);
});

test('imports that go one way pass, whatever comments, texts and tests say, and a folder shares what its face holds', () => {
  const { status, problems } = check({
    'lib.rs': 'mod a;\nmod b;\nmod room;\npub use a::A;',
    'a.rs':
      'pub struct A;\n// use crate::b::B;\nconst TEXT: &str = "crate::b::B";\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}',
    'b.rs': 'use crate::a::A;\npub struct B(A);',
    'room/mod.rs': 'mod inner;\npub struct Room;\nimpl Room { fn new() { inner::help() } }',
    'room/inner.rs': 'use super::Room;\npub(super) fn help() {}\nimpl Room { fn more() {} }',
  });
  expect(problems).toBe('');
  expect(status).toBe(0);
});
