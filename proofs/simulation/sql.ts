/** A value of a column, or of a parameter with its type. */
type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;
type Parameters = readonly unknown[];
/** As SQL has it: `undefined` is unknown. */
type Truth = boolean | undefined;

/** What a statement does to the row of an id, and what it answers. */
export interface Statement {
  readonly kind: 'insert' | 'update' | 'delete' | 'read';
  readonly id: string;
  /** The columns that it writes. */
  readonly values: Row;
  /** Of the row that it writes to, as that is when no other transaction holds it. */
  isMet(row: Row | undefined): boolean;
  /** Whether the row is the answer, as it was when the statement began. */
  isAnswer(row: Row, isWritten: boolean): boolean;
}

const WRITTEN = 'exists (select from written)';
const INSERT = /insert into \S+ \((.*?)\) select (.*?) from waited\s+on conflict \(id\) do nothing returning 1/s;
const UPDATE = /update \S+ as r set (.*?) from waited\s+where (.*?) returning 1/s;
const DELETE = /delete from \S+ as r using waited where (.*?) returning 1/s;
const ANSWER = /select row_to_json\(r\) from \S+ as r where (.*)\)\)::text as answer$/s;

/** As much of SQL as the store sends: it is read, so that what the store does not ask for is not done. @throws Error */
export function parse(text: string, given: Parameters): Statement {
  const [, answer = ''] = ANSWER.exec(text) ?? [];
  const isAnswer = (row: Row, isWritten: boolean) => holds(answer, { row, given, isWritten }) === true;
  const [, columns, inserted = ''] = INSERT.exec(text) ?? [];
  if (columns !== undefined) {
    const all = inserted.split(', ').map((term) => readValue(term, { given }));
    const values = Object.fromEntries(columns.split(', ').map((name, index) => [name, all[index] ?? null]));
    return { kind: 'insert', id: String(values['id']), values, isMet: (row) => row === undefined, isAnswer };
  }
  const [, assigned = '', updating] = UPDATE.exec(text) ?? [];
  const [, deleting] = DELETE.exec(text) ?? [];
  const condition = updating ?? deleting;
  const isMet = (row: Row | undefined) => row !== undefined && holds(condition ?? 'false', { row, given }) === true;
  const id = String(readValue(/^r\.id = (\$\d+::text)/.exec(condition ?? answer)?.[1] ?? '', { given }));
  if (condition === undefined) return { kind: 'read', id, values: {}, isMet, isAnswer };
  const pairs = assigned.split(', ').map((pair) => pair.split(' = '));
  const values = Object.fromEntries(pairs.map(([name = '', term = '']) => [name, term && readValue(term, { given })]));
  return { kind: updating === undefined ? 'delete' : 'update', id, values, isMet, isAnswer };
}

interface Scope {
  readonly row?: Row;
  readonly given: Parameters;
  readonly isWritten?: boolean;
}

function holds(condition: string, scope: Scope): Truth {
  const terms = split(condition.trim(), / and /y);
  if (terms.length > 1) return terms.map((term) => holds(term, scope)).reduce(and);
  const [term = ''] = terms;
  if (term === 'false') return false;
  if (term === `not ${WRITTEN}`) return scope.isWritten !== true;
  const [, inner] = /^\((.*)\) is not true$/s.exec(term) ?? [];
  if (inner !== undefined) return holds(inner, scope) !== true;
  const [, either] = /^\((.*)\)$/s.exec(term) ?? [];
  if (either !== undefined)
    return split(either, / or /y)
      .map((one) => holds(one, scope))
      .reduce(or);
  const [, tested] = /^(.+) is null$/.exec(term) ?? [];
  if (tested !== undefined) return readValue(tested, scope) === null;
  const [left = '', right] = term.split(' = ');
  if (right === undefined) throw new Error(`simulation: a condition that is not known: ${term}`);
  const [a, b] = [readValue(left, scope), readValue(right, scope)];
  return a === null || b === null ? undefined : a === b;
}

const and = (a: Truth, b: Truth): Truth => (a === false || b === false ? false : a && b);
const or = (a: Truth, b: Truth): Truth => (a === true || b === true ? true : a === false ? b : undefined);

/** Not within parentheses. */
function split(text: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let [depth, from] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    if (text[at] === ')') depth--;
    separator.lastIndex = at;
    if (depth > 0 || !separator.test(text)) continue;
    parts.push(text.slice(from, at));
    from = separator.lastIndex;
  }
  return [...parts, text.slice(from)].map((part) => part.trim());
}

function readValue(term: string, { row, given }: Scope): Value {
  const [, column] = /^r\.(\w+)$/.exec(term) ?? [];
  if (column !== undefined) return row?.[column] ?? null;
  const [, number, type] = /^\$(\d+)::([\w ]+)$/.exec(term) ?? [];
  if (number === undefined) throw new Error(`simulation: a value that is not known: ${term}`);
  const value = given[Number(number) - 1] ?? null;
  return value === null || type === 'text' ? (value as Value) : Number(value);
}
