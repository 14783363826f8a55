import fc from 'fast-check';
import { expect } from 'vitest';

/** `npm run test:fuzz -- --runs N --seed S`; in `npm test` the same few on every machine. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 0);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_101);

/** How often, and with which seed. fast-check prints seed and path of what fails. */
export function fuzzing(runs: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: RUNS > 0 ? RUNS : runs, seed: SEED };
}

/** A value that has been through JSON, as everything that comes from outside has. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const nested = (levels: number): Json => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

/** What breaks programs that believe in their input. */
const HOSTILE: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  '',
  ' ',
  '\ud800',
  '\0',
  '__proto__',
  'constructor',
  'x'.repeat(2000),
  '"'.repeat(500),
  '\\'.repeat(501),
  [],
  [null],
  [[]],
  {},
  { toString: 1, valueOf: 2 },
  { toJSON: 1 },
  { length: 1e9 },
  { constructor: { prototype: { polluted: true } } },
  JSON.parse('{"__proto__":{"polluted":true}}'),
  JSON.parse('{"__proto__":null}'),
  nested(400),
  nested(2000),
];

export const hostile: fc.Arbitrary<Json> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json> },
);

const HOSTILE_NAMES = ['__proto__', 'constructor', 'toString', 'toJSON', 'length', 'hasOwnProperty', 'then', ''];

type Change =
  | { readonly kind: 'delete' | 'duplicate'; readonly at: number }
  | { readonly kind: 'replace'; readonly at: number; readonly by: Json }
  | { readonly kind: 'add'; readonly at: number; readonly name: string; readonly by: Json };

/** Changes of a JSON value: members deleted, replaced, moved up, added. */
function changes(names: readonly string[]): fc.Arbitrary<readonly Change[]> {
  const at = fc.nat({ max: 10_000 });
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ kind: fc.constantFrom('delete' as const, 'duplicate' as const), at }),
    fc.record({ kind: fc.constant('replace' as const), at, by: hostile }),
    fc.record({
      kind: fc.constant('add' as const),
      at,
      name: fc.constantFrom(...HOSTILE_NAMES, ...names),
      by: hostile,
    }),
  );
  return fc.array(change, { maxLength: 4 });
}

interface Place {
  readonly parent: Record<string, Json>;
  readonly name: string;
}

/** JSON texts of the value with some of these changes. Text, so that a counterexample can be read and pasted. */
export function garbage(value: object, names: readonly string[] = []): fc.Arbitrary<string> {
  return changes(names).map((all) => JSON.stringify(changed(value as Json, all)));
}

function changed(value: Json, all: readonly Change[]): Json {
  const root: Record<string, Json> = { value: JSON.parse(JSON.stringify(value)) };
  for (const change of all) {
    const places = placesIn(root);
    const place = places[change.at % places.length];
    if (place !== undefined) apply(change, place);
  }
  return root['value'] ?? null;
}

function apply(change: Change, { parent, name }: Place): void {
  switch (change.kind) {
    case 'delete':
      delete parent[name];
      return;
    case 'duplicate':
      define(parent, name.toUpperCase(), parent[name] ?? null);
      return;
    case 'replace':
      define(parent, name, change.by);
      return;
    case 'add': {
      const member = parent[name];
      if (typeof member === 'object' && member !== null) define(member as never, change.name, change.by);
    }
  }
}

/** As JSON.parse does it: `__proto__` is a name like others. */
function define(parent: Record<string, Json>, name: string, value: Json): void {
  // A list has no other members than its own.
  if (Array.isArray(parent) && !/^\d+$/.test(name)) return;
  const copy: Json = JSON.parse(JSON.stringify(value));
  Object.defineProperty(parent, name, { value: copy, enumerable: true, configurable: true, writable: true });
}

function placesIn(parent: Record<string, Json>, depth = 0): Place[] {
  if (depth > 8) return [];
  return Object.keys(parent).flatMap((name) => {
    const member = parent[name];
    const inside = typeof member === 'object' && member !== null ? placesIn(member as never, depth + 1) : [];
    return [{ parent, name }, ...inside];
  });
}

const PROTOTYPES = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  String.prototype,
  Error.prototype,
  Map.prototype,
];
const untouched = PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).length);

/** Nothing that came from outside has reached what all objects share. */
export function expectNoPollution(): void {
  expect(PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).length)).toEqual(untouched);
  expect(Object.getPrototypeOf(Object.prototype)).toBeNull();
}
