import type * as Binding from './binding';

/** What the library of this version has: methods and getters by class, and those of a class itself. */
interface Interface {
  readonly version: string;
  readonly functions: readonly string[];
  readonly classes: Readonly<
    Record<string, { readonly members: readonly string[]; readonly statics: readonly string[] }>
  >;
}

/** Written in by rollup.code.mjs, from package.json and binding.d.ts: nothing of it has to be kept up by hand. */
declare const NATIVE_INTERFACE: Interface;

/** What this code may call and the library does not have. */
function* lacking(binding: object): Iterable<string> {
  const { functions, classes } = NATIVE_INTERFACE;
  const found = binding as Record<string, { prototype?: object } | undefined>;
  for (const name of functions) if (!(name in binding)) yield name;
  for (const [name, { members, statics }] of Object.entries(classes)) {
    const prototype = found[name]?.prototype;
    if (!prototype) {
      yield name;
      continue;
    }
    for (const member of members) if (!(member in prototype)) yield `${name}.${member}`;
    for (const member of statics) if (!(member in found[name]!)) yield `${name}.${member}`;
  }
}

/**
 * Why a library is not the one that this code was made with; `undefined` if it is. Without that question a library that was left from
 * another version would fail later, where a method that it lacks is first called.
 */
export function mismatch(binding: Partial<typeof Binding>): string | undefined {
  const missing = [...lacking(binding)];
  const version = binding.version?.();
  if (version !== NATIVE_INTERFACE.version)
    return `it is ${version === undefined ? 'no library of ours' : `version ${version}`}`;
  if (missing.length === 0) return undefined;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  return `it was built before this code, and lacks ${missing[0]!}${more}`;
}

/** The version of this code. */
export const expected = (): string => NATIVE_INTERFACE.version;
