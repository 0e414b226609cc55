import { readFileSync } from 'node:fs';

const read = (file) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');

/** What the code may call of the native library, for `ts/native/interface.ts`: a library from another day is told by what it lacks. */
export function nativeInterface() {
  const { version } = JSON.parse(read('package.json'));
  const declarations = read('ts/native/binding.d.ts');
  const functions = [...declarations.matchAll(/^export declare function (\w+)/gm)].map(([, name]) => name);
  const classes = [...declarations.matchAll(/^export declare class (\w+) {\n([^]*?)^}/gm)].map(([, name, body]) => {
    const members = [...body.matchAll(/^ {2}(static )?(?:[gs]et |readonly )?(\w+)\??[(:<]/gm)];
    const named = (which) => [...new Set(members.filter(([, is]) => !is === which).map(([, , member]) => member))];
    return [name, { members: named(true), statics: named(false) }];
  });
  return { version, functions, classes: Object.fromEntries(classes) };
}
