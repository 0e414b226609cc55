import { conversionFailed, isObject, type Converter } from './conversions';

/** One member of a WebIDL dictionary. */
export interface Member<T> {
  type: Converter<T>;
  required?: boolean;
  /** Makes the default value; a fresh one for every conversion. */
  default?: () => T;
}

/** The members of a dictionary by name. */
type Members<T> = { [K in keyof T]-?: Member<Exclude<T[K], undefined>> };

interface DictionaryDefinition {
  name: string;
  parent?: DictionaryConverter<object>;
  members: [string, Member<unknown>][];
}

/** A converter that also knows its definition, so that other dictionaries can inherit from it. */
export type DictionaryConverter<T> = Converter<T> & { definition: DictionaryDefinition };

/**
 * Defines a dictionary. Members are read as WebIDL demands: those of the parent first, then in lexicographical order;
 * `undefined` means absent. https://webidl.spec.whatwg.org/#js-dictionary
 */
export function dictionary<T extends object, P extends object = object>(
  name: string,
  members: Members<Omit<T, keyof P>>,
  parent?: DictionaryConverter<P>,
): DictionaryConverter<T> {
  const sorted = Object.entries<Member<unknown>>(members).sort(([a], [b]) => (a < b ? -1 : 1));
  const definition: DictionaryDefinition = {
    name,
    parent,
    members: sorted,
  };
  const convert = (value: unknown, context: string): T => {
    if (value !== undefined && value !== null && !isObject(value)) {
      conversionFailed(context, `is not an object (dictionary ${name})`);
    }
    const result: Record<string, unknown> = {};
    readMembers(definition, (value ?? undefined) as Record<string, unknown> | undefined, result);
    return result as T;
  };
  return Object.assign(convert, { definition });
}

function readMembers(
  { name, parent, members }: DictionaryDefinition,
  source: Record<string, unknown> | undefined,
  result: Record<string, unknown>,
): void {
  if (parent) readMembers(parent.definition, source, result);
  for (const [key, member] of members) {
    const value = source?.[key];
    if (value !== undefined) result[key] = member.type(value, `${name}.${key}`);
    else if (member.default) result[key] = member.default();
    else if (member.required) conversionFailed(`${name}.${key}`, 'is required, but missing');
  }
}
