import { POWERTOOLS_FUNCTIONS } from './powertools.ts';

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
 * (`[tenant, order.id]`), hashes (`{order: id}`), every member of a list (`lines[*].id`), `@`, and the functions of
 * Powertools. It selects what the engine selects, in a tenth of the time, with two exceptions. It never selects what an
 * object only inherits. And `[*]` keeps the place of an absent member: else two lines of which one has no id would be
 * the one line that has.
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
    return following === undefined ? select : continued(then(select, following));
  }

  /** `[0]`, or `[*]` with what it selects of every member. */
  function bracket(): Select | undefined {
    const [open, inner, close] = tokens.slice(next, next + 3);
    const index = Number(inner);
    if (open !== '[' || close !== ']' || !(inner === '*' || Number.isInteger(index))) return undefined;
    next += 3;
    return inner === '*' ? every(ofEvery()) : at(index);
  }

  /** In JMESPath, `.[a, b]` and `.{a: b}` end what `[*]` selects of every member: what follows reads the list of all. */
  function ofEvery(): Select {
    if (accept('.')) return multiSelect() ?? continued(named());
    const select = bracket();
    return select === undefined ? itself : continued(select);
  }

  function member(): Select {
    return multiSelect() ?? named();
  }

  function multiSelect(): Select | undefined {
    if (accept('[')) {
      const members = separated(expression, ']');
      return (value) => (value === null ? null : members.map((select) => select(value)));
    }
    if (!accept('{')) return undefined;
    hashDepth = Math.max(hashDepth, ++depth);
    const members = separated(pair, '}');
    depth--;
    return (value) =>
      value === null ? null : Object.fromEntries(members.map(([key, select]) => [key, select(value)]));
  }

  function pair(): readonly [name: string, select: Select] {
    const key = name();
    expect(':');
    return [key, expression()];
  }

  function separated<T>(one: () => T, close: string): readonly T[] {
    const all = [one()];
    while (accept(',')) all.push(one());
    expect(close);
    return all;
  }

  function named(): Select {
    const read = POWERTOOLS_FUNCTIONS.get(tokens[next] ?? '');
    const select = field(name());
    if (!accept('(')) return select;
    if (read === undefined) throw new SyntaxError();
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

function every(select: Select): Select {
  return (value) => (Array.isArray(value) ? Array.from(value, (member) => select(member) ?? null) : null);
}

function at(index: number): Select {
  return (value) => (Array.isArray(value) ? (value.at(index) ?? null) : null);
}

/** As JMESPath has it, only objects have fields, and the empty name is no field. */
function field(name: string): Select {
  if (name === '') return () => null;
  const isInherited = name in Object.prototype;
  return (value) => {
    if (Object.prototype.toString.call(value) !== '[object Object]') return null;
    const object = value as Record<string, unknown>;
    return (isInherited ? Object.hasOwn(object, name) : name in object) ? object[name] : null;
  };
}
