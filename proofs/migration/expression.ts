/** An attribute's value as DynamoDB's protocol has it. */
type Value = Readonly<Record<string, unknown>>;
export type Item = Readonly<Record<string, Value>>;

export interface Conditional {
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, Value>>;
}

type Holds = (item: Item | undefined) => boolean;

/**
 * Whether the item, or its absence, meets the condition: AND, OR, parentheses, `=`, `<` and `attribute_[not_]exists`, which is all
 * that both packages use. @throws Error for anything else
 */
export function isMet(request: Conditional, item: Item | undefined): boolean {
  const { ConditionExpression: expression } = request;
  if (expression === undefined) return true;
  const tokens = expression.match(/attribute_\w+\(#\w+\)|[#:]\w+|AND|OR|[()=<]|\S+/g) ?? [];
  let at = 0;
  const take = () => tokens[at++] ?? '';
  const holds = either();
  if (at < tokens.length) throw unknown(tokens[at]);
  return holds(item);

  function either(): Holds {
    const terms = [both()];
    while (tokens[at] === 'OR' && take()) terms.push(both());
    return (found) => terms.some((term) => term(found));
  }

  function both(): Holds {
    const terms = [one()];
    while (tokens[at] === 'AND' && take()) terms.push(one());
    return (found) => terms.every((term) => term(found));
  }

  function one(): Holds {
    const token = take();
    if (token === '(') {
      const inside = either();
      if (take() !== ')') throw unknown(expression);
      return inside;
    }
    const [, not, path = token] = /^attribute_(not_)?exists\((#\w+)\)$/.exec(token) ?? [];
    const name = request.ExpressionAttributeNames?.[path];
    if (name === undefined) throw unknown(token);
    if (path !== token) return (found) => (found?.[name] === undefined) === (not !== undefined);
    const [operator, value] = [take(), request.ExpressionAttributeValues?.[take()]];
    if (value === undefined || (operator !== '=' && operator !== '<')) throw unknown(expression);
    return (found) => compare(found?.[name], operator, value);
  }
}

function compare(found: Value | undefined, operator: '=' | '<', value: Value): boolean {
  if (found === undefined) return false;
  if (operator === '<') return found['N'] !== undefined && Number(found['N']) < Number(value['N']);
  return found['S'] === value['S'] && found['N'] === value['N'];
}

/** The item after `SET #a = :b, …`. @throws Error for any other update */
export function updated(request: Conditional & { readonly UpdateExpression?: string }, item: Item): Item {
  const changed: Record<string, Value> = { ...item };
  for (const part of (request.UpdateExpression ?? '').replace(/^SET /, '').split(', ')) {
    const [, path = '', value = ''] = /^(#\w+) = (:\w+)$/.exec(part) ?? [];
    const name = request.ExpressionAttributeNames?.[path];
    const set = request.ExpressionAttributeValues?.[value];
    if (name === undefined || set === undefined) throw unknown(part);
    changed[name] = set;
  }
  return changed;
}

function unknown(what: unknown): Error {
  return new Error(`the simulated table does not know this expression: ${what}`);
}
