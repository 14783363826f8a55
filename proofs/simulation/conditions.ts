/** An attribute's value as DynamoDB sends it. */
type Value = Readonly<Partial<Record<'S' | 'N' | 'B' | 'BOOL', string | boolean>>> & {
  readonly M?: Readonly<Record<string, Value>>;
};
export type Item = Readonly<Record<string, Value>>;

/** What a request says of its condition. */
export interface Conditional {
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, Value>>;
}

/**
 * Whether the item, or its absence, meets the condition: as much of AWS's grammar ("Condition and filter expressions") as is
 * ever used here. @throws Error for anything else
 */
export function isMet(request: Conditional, item: Item | undefined): boolean {
  const { ConditionExpression: expression } = request;
  if (expression === undefined) return true;
  return expression.split(' OR ').some((terms) => terms.split(' AND ').every((term) => holds(term, request, item)));
}

function holds(term: string, request: Conditional, item: Item | undefined): boolean {
  const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = request;
  const valueAt = (path: string) => item?.[path.startsWith('#') ? (names[path] ?? path) : path];
  const [, exists, path = ''] = /^attribute_(exists|not_exists)\(([#\w]+)\)$/.exec(term) ?? [];
  if (exists !== undefined) return (valueAt(path) !== undefined) === (exists === 'exists');
  const [, left = '', operator, right = ''] = /^(#\w+) ([=<]) (:\w+)$/.exec(term) ?? [];
  const [a, b] = [valueAt(left), values[right]];
  if (operator === undefined || b === undefined) throw new Error(`simulation: a condition that is not known: ${term}`);
  if (operator === '<') return a?.N !== undefined && Number(a.N) < Number(b.N);
  return a !== undefined && a.S === b.S && a.N === b.N;
}
