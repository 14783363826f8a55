import { parsedJson } from './functions.ts';

type Select = (value: unknown) => unknown;

const TOKEN = /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|("(?:\\.|[^"\\])*")|([.,[\]()*]))\s*/y;
const SIGNS = '.,[]()*';

/**
 * What most keys are: `headers."idempotency-key"`, `powertools_json(body).orderId`, `[tenant, order.id]`, `lines[*].id`. Fields, lists
 * of them, every member of a list, and `powertools_json`, compiled to functions, which select what the library does in a tenth of
 * the time; but never what an object only inherits, and of the members of a list all: where the library drops what is absent,
 * two lines of which one has no id would be the one line that has.
 *
 * @returns `undefined` for every other expression, malformed ones included
 */
export function compilePath(expression: string): Select | undefined {
  let tokens: readonly string[] = [];
  let next = 0;
  try {
    tokens = tokensOf(expression);
    const select = chain();
    return next === tokens.length ? select : undefined;
  } catch {
    return undefined;
  }

  function chain(): Select {
    return rest(start());
  }

  function rest(select: Select): Select {
    if (acceptEvery()) return then(select, every(rest(itself)));
    return accept('.') ? rest(then(select, accept('[') ? list() : field(name()))) : select;
  }

  function start(): Select {
    if (isEvery()) return itself;
    if (accept('[')) return list();
    const first = name();
    if (tokens[next] !== '(') return field(first);
    next++;
    if (first !== 'powertools_json') throw new SyntaxError();
    const text = chain();
    expect(')');
    return then(text, parsedJson);
  }

  function list(): Select {
    const members = [chain()];
    while (accept(',')) members.push(chain());
    expect(']');
    return (value) => (value === null ? null : members.map((select) => select(value)));
  }

  function isEvery(): boolean {
    return tokens[next] === '[' && tokens[next + 1] === '*' && tokens[next + 2] === ']';
  }

  function acceptEvery(): boolean {
    const isThere = isEvery();
    if (isThere) next += 3;
    return isThere;
  }

  function name(): string {
    const token = tokens[next++];
    if (token === undefined || SIGNS.includes(token)) throw new SyntaxError();
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

/** @throws SyntaxError */
function tokensOf(expression: string): readonly string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.length) {
    const [, identifier, quoted, sign] = TOKEN.exec(expression) ?? [];
    const token = identifier ?? quoted ?? sign;
    if (token === undefined) throw new SyntaxError();
    tokens.push(token);
  }
  return tokens;
}

const itself: Select = (value) => value;

function every(select: Select): Select {
  return (value) => (Array.isArray(value) ? Array.from(value, (member) => select(member) ?? null) : null);
}

function then(first: Select, second: Select): Select {
  return (value) => second(first(value));
}

/** As the library has it: only objects have fields, and the empty name is no field. */
function field(name: string): Select {
  if (name === '') return () => null;
  const isInherited = name in Object.prototype;
  return (value) => {
    if (!isObject(value) || !(isInherited ? Object.hasOwn(value, name) : name in value)) return null;
    return value[name];
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]';
}
