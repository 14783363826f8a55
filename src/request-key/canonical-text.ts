import { inexactNumbers } from './exact-numbers.ts';

/** As in `canonicalJson`. */
const MAX_DEPTH = 500;

/**
 * The one text of all JSON texts of the same value (RFC 8785): what `canonicalJson` makes of the parsed text, for less time.
 * The value comes from JSON.parse, so that it has no cycle, no class and no `toJSON`.
 *
 * @returns `undefined` for a text that is no JSON, that says more than a parser keeps, or that RFC 8785 has no form for
 */
export function canonicalText(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (inexactNumbers(text).size > 0) return undefined;
    const json = canonical(value, { names: new Map(), depth: 0 });
    return isWellFormed(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

interface Progress {
  /** What each member's name looks like in JSON, with the colon behind it. */
  readonly names: Map<string, string>;
  depth: number;
}

type Fields = Readonly<Record<string, unknown>>;

function canonical(value: unknown, progress: Progress): string {
  if (typeof value === 'string') return JSON.stringify(value);
  // As JSON has numbers (ECMAScript, JSON.stringify), `true`, `false` and `null`.
  if (typeof value !== 'object' || value === null) return String(value);
  if (progress.depth >= MAX_DEPTH) throw new RangeError(`it is nested deeper than ${MAX_DEPTH} levels`);
  progress.depth++;
  const text = Array.isArray(value) ? canonicalList(value, progress) : canonicalObject(value as Fields, progress);
  progress.depth--;
  return text;
}

function canonicalList(list: readonly unknown[], progress: Progress): string {
  if (list.every(isScalar)) return JSON.stringify(list);
  let text = '';
  for (const member of list) text += (text === '' ? '[' : ',') + canonical(member, progress);
  return `${text}]`;
}

function canonicalObject(fields: Fields, progress: Progress): string {
  const names = Object.keys(fields);
  const isInOrder = areInOrder(names);
  if (isInOrder && Object.values(fields).every(isScalar)) return JSON.stringify(fields);
  let text = '';
  for (const name of isInOrder ? names : names.sort()) {
    text += (text === '' ? '{' : ',') + nameIn(progress, name) + canonical(fields[name], progress);
  }
  return `${text}}`;
}

/** By code units of UTF-16 (RFC 8785, section 3.2.3), as `sort` has it, too. */
function areInOrder(names: readonly string[]): boolean {
  return names.every((name, index) => index === 0 || (names[index - 1] as string) < name);
}

function nameIn({ names }: Progress, name: string): string {
  let text = names.get(name);
  if (text === undefined) {
    text = `${JSON.stringify(name)}:`;
    names.set(name, text);
  }
  return text;
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

/** JSON.stringify writes a lone surrogate as an escape, and no other character from U+D000 on. */
function isWellFormed(json: string): boolean {
  return !json.includes('\\ud') || !/(?<!\\)(?:\\\\)*\\ud/.test(json);
}
