import { getBuiltinModule } from '../builtins.ts';
import { tagOf, utf8 } from '../json.ts';
import { parseExactly } from './exact-numbers.ts';

/** A compiled path, and what `jmespath()` of `middy-idempotency/jmespath` returns. */
export interface CompiledExpression {
  /** How deep hashes (`{a: x}`) are nested in the expression; 0 without any. A hash with an absent member is no key. */
  readonly hashDepth: number;
  /** Why this cannot be the option `key`. */
  readonly notKey?: string | undefined;
  /** @throws Error when a function of the expression cannot read what it gets */
  search(event: unknown): unknown;
}

type Select = (value: unknown) => unknown;

const TOKEN = /[ \t\n\r]*(?:[A-Za-z_]\w*|"(?:\\.|[^"\\])*"|-?\d+|[.,:@*[\](){}])[ \t\n\r]*/gy;

/**
 * A path is the part of JMESPath that most keys need: fields (`headers."idempotency-key"`), indexes, lists
 * (`[tenant, order.id]`), hashes (`{order: id}`), every member of a list (`lines[*].id`), `@`, and
 * {@link POWERTOOLS_FUNCTIONS}. It selects what the engine selects, in a tenth of the time, with two exceptions. It never
 * selects what an object only inherits. And `[*]` keeps the place of an absent member: else two lines of which one has no
 * id would be the one line that has.
 *
 * @returns `undefined` for every other expression, malformed ones included
 */
export function compilePath(text: string): CompiledExpression | undefined {
  const matches = text.match(TOKEN) ?? [];
  if (matches.join('') !== text) return undefined;
  const tokens = matches.map((token) => token.trim());
  let next = 0;
  let depth = 0;
  let hashDepth = 0;
  try {
    const search = expression();
    return next === tokens.length ? { hashDepth, search } : undefined;
  } catch {
    return undefined;
  }

  function expression(): Select {
    return continued(accept('@') ? itself : (bracket() ?? member()));
  }

  function continued(select: Select): Select {
    const following = accept('.') ? member() : bracket();
    return following ? continued(then(select, following)) : select;
  }

  /** `[0]`, or `[*]` with what it selects of every member. */
  function bracket(): Select | undefined {
    const [open, inner, close] = tokens.slice(next, next + 3);
    const index = Number(inner);
    if (open !== '[' || close !== ']' || !(inner === '*' || Number.isInteger(index))) return undefined;
    next += 3;
    if (inner !== '*') return ofList((list) => list.at(index));
    const select = ofEvery();
    return ofList((list) => Array.from(list, (item) => select(item) ?? null));
  }

  /** In JMESPath, `.[a, b]` and `.{a: b}` end what `[*]` selects of every member: what follows reads the list of all. */
  function ofEvery(): Select {
    if (accept('.')) return multiSelect() ?? continued(named());
    const select = bracket();
    return select ? continued(select) : itself;
  }

  function member(): Select {
    return multiSelect() ?? named();
  }

  function multiSelect(): Select | undefined {
    const isHash = accept('{');
    if (!isHash && !accept('[')) return undefined;
    if (isHash) hashDepth = Math.max(hashDepth, ++depth);
    const names: string[] = [];
    const members: Select[] = [];
    do {
      if (isHash) names.push(name());
      if (isHash) expect(':');
      members.push(expression());
    } while (accept(','));
    expect(isHash ? '}' : ']');
    if (isHash) depth--;
    return (value) => {
      if (value === null) return null;
      const selected = members.map((select) => select(value));
      return isHash ? Object.fromEntries(names.map((key, index) => [key, selected[index]])) : selected;
    };
  }

  function named(): Select {
    const read = POWERTOOLS_FUNCTIONS.get(tokens[next] ?? '');
    const select = field(name());
    if (!accept('(')) return select;
    if (!read) throw new SyntaxError();
    const argument = expression();
    expect(')');
    return then(argument, read);
  }

  function name(): string {
    const token = tokens[next++] ?? '';
    if (!/^["A-Za-z_]/.test(token)) throw new SyntaxError();
    return token.startsWith('"') ? JSON.parse(token) : token;
  }

  function accept(token: string): boolean {
    if (tokens[next] !== token) return false;
    next++;
    return true;
  }

  function expect(token: string): void {
    if (!accept(token)) throw new SyntaxError();
  }
}

/** A text of JMESPath without its raw strings, quoted names and JSON literals: only structure is left. */
export function withoutLiterals(text: string): string {
  return text.replace(/(["'`])(?:\\.|(?!\1)[^\\])*\1/g, ' ');
}

/** @returns `undefined` where no name has a hyphen */
export function hyphenAdvice(text: string): string | undefined {
  if (!/\w-\w/.test(withoutLiterals(text))) return undefined;
  return 'a name with a hyphen needs quotation marks, as in headers."idempotency-key"';
}

const itself: Select = (value) => value;

function then(first: Select, second: Select): Select {
  return (value) => second(first(value));
}

/** What is no list has no members. */
function ofList(select: (list: readonly unknown[]) => unknown): Select {
  return (value) => (Array.isArray(value) ? (select(value) ?? null) : null);
}

/** As JMESPath has it, only objects have fields, and the empty name is no field. */
function field(name: string): Select {
  const isInherited = name in Object.prototype;
  return (value) => {
    if (name === '' || tagOf(value) !== '[object Object]') return null;
    const object = value as Record<string, unknown>;
    return (isInherited ? Object.hasOwn(object, name) : name in object) ? object[name] : null;
  };
}

/** A Lambda request has 6 MB at most (AWS: "Lambda quotas"); what unpacks to much more is an attack. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/**
 * The functions that Powertools adds to JMESPath, by their names. What they cannot read is an error, so that two different
 * requests never look the same. Nothing to read is nothing selected: a request without a body has no key, not the key "null".
 */
export const POWERTOOLS_FUNCTIONS: ReadonlyMap<string, Select> = new Map([
  reader('powertools_json', parseExactly),
  reader('powertools_base64', (text) => utf8(bytesOf(text), false)),
  reader('powertools_base64_gzip', (text) =>
    utf8(getBuiltinModule('node:zlib').gunzipSync(bytesOf(text), { maxOutputLength: MAX_UNPACKED_BYTES }), true),
  ),
]);

/** What one of the functions should read is no text. The message has nothing of the request. */
export class NotText extends TypeError {}

function reader(name: string, read: (text: string) => unknown): [name: string, read: Select] {
  return [
    name,
    (value) => {
      if (value === null || value === undefined) return null;
      if (typeof value === 'string') return read(value);
      throw new NotText(
        `${name}() reads a string, and got type ${typeof value}. Has a body parser parsed it? Use this guard first.`,
      );
    },
  ];
}

/** `Buffer` skips what is not base64, so that different texts would be the same bytes. */
function bytesOf(base64: string): Buffer {
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw new TypeError('the text is not base64');
  return Buffer.from(base64, 'base64');
}
