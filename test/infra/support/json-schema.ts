/** A JSON Schema (2020-12), as much of it as `openapi.json` uses. */
export type Schema = Readonly<Record<string, unknown>>;

type Resolve = (ref: string) => Schema;
type Check = (argument: never, value: never, at: string, schema: Schema, resolve: Resolve) => string[];

/** Say nothing about what is valid. */
const ANNOTATIONS = ['description', 'default', 'format', 'example'];

/** What each keyword wants of a value of its type; values of other types are left alone, as the specification has it. */
const KEYWORDS: Readonly<Record<string, { readonly of?: string; readonly check: Check }>> = {
  $ref: { check: (ref: string, value: unknown, at, _schema, resolve) => violations(resolve(ref), value, resolve, at) },
  type: {
    check: (type: string | string[], value: unknown, at) => {
      const types = [type].flat();
      const holds = types.includes(typeOf(value)) || (types.includes('integer') && Number.isInteger(value));
      return unless(holds, at, `is ${typeOf(value)}, not ${types.join(' or ')}`);
    },
  },
  const: { check: (wanted: unknown, value: unknown, at) => unless(value === wanted, at, `is not ${wanted}`) },
  enum: { check: (all: unknown[], value: unknown, at) => unless(all.includes(value), at, `is none of ${all}`) },
  pattern: {
    of: 'string',
    check: (pattern: string, value: string, at) => unless(new RegExp(pattern, 'u').test(value), at, `is '${value}'`),
  },
  minLength: {
    of: 'string',
    check: (min: number, value: string, at) => unless([...value].length >= min, at, 'is short'),
  },
  maxLength: {
    of: 'string',
    check: (max: number, value: string, at) => unless([...value].length <= max, at, 'is long'),
  },
  minimum: { of: 'number', check: (min: number, value: number, at) => unless(value >= min, at, `is below ${min}`) },
  maximum: { of: 'number', check: (max: number, value: number, at) => unless(value <= max, at, `is above ${max}`) },
  maxItems: { of: 'array', check: (max: number, value: unknown[], at) => unless(value.length <= max, at, 'is long') },
  items: {
    of: 'array',
    check: (items: Schema, value: unknown[], at, _schema, resolve) =>
      value.flatMap((item, index) => violations(items, item, resolve, `${at}[${index}]`)),
  },
  required: {
    of: 'object',
    check: (names: string[], value: object, at) =>
      names.flatMap((name) => unless(Object.hasOwn(value, name), `${at}.${name}`, 'is missing')),
  },
  properties: {
    of: 'object',
    check: (properties: Record<string, Schema>, value: object, at, _schema, resolve) =>
      Object.entries(value).flatMap(([name, member]) =>
        violations(properties[name] ?? {}, member, resolve, `${at}.${name}`),
      ),
  },
  additionalProperties: {
    of: 'object',
    check: (additional: Schema | boolean, value: object, at, schema, resolve) =>
      Object.entries(value)
        .filter(([name]) => !Object.hasOwn(schema['properties'] ?? {}, name))
        .filter(([name]) => patternsOf(schema, name).length === 0)
        .flatMap(([name, member]) =>
          additional === false
            ? [`${at}.${name} is not declared`]
            : violations(additional === true ? {} : additional, member, resolve, `${at}.${name}`),
        ),
  },
  patternProperties: {
    of: 'object',
    check: (_, value: object, at, schema, resolve) =>
      Object.entries(value).flatMap(([name, member]) =>
        patternsOf(schema, name).flatMap((one) => violations(one, member, resolve, `${at}.${name}`)),
      ),
  },
  propertyNames: {
    of: 'object',
    check: (names: Schema, value: object, at, _schema, resolve) =>
      Object.keys(value).flatMap((name) => violations(names, name, resolve, `${at}.${name} (its name)`)),
  },
  maxProperties: {
    of: 'object',
    check: (max: number, value: object, at) => unless(Object.keys(value).length <= max, at, 'has many members'),
  },
};

/**
 * What is wrong with a value, none when it is valid.
 *
 * @throws Error at a keyword that is not known: what is not checked must not look as if it were
 */
export function violations(schema: Schema, value: unknown, resolve: Resolve, at = '$'): string[] {
  return Object.entries(schema).flatMap(([keyword, argument]) => {
    if (ANNOTATIONS.includes(keyword)) return [];
    const known = KEYWORDS[keyword];
    if (known === undefined) throw new Error(`the schema of ${at} has the unknown keyword ${keyword}`);
    if (known.of !== undefined && known.of !== typeOf(value)) return [];
    return known.check(argument as never, value as never, at, schema, resolve);
  });
}

/** The schemas of `patternProperties` that a member's name matches. */
function patternsOf(schema: Schema, name: string): Schema[] {
  const patterns = Object.entries((schema['patternProperties'] ?? {}) as Record<string, Schema>);
  return patterns.filter(([pattern]) => new RegExp(pattern, 'u').test(name)).map(([, one]) => one);
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

function unless(holds: boolean, at: string, problem: string): string[] {
  return holds ? [] : [`${at} ${problem}`];
}
