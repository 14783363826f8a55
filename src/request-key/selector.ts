import { IdempotencyError, optionError } from '../errors.ts';
import { isObject, isPromise } from '../json.ts';
import { unusable } from './canonical.ts';
import { isPlainObject } from './data.ts';
import { type CompiledExpression, compilePath, hyphenAdvice, NotText } from './path.ts';

/**
 * What selects a key, a scope or a fingerprint from a request.
 *
 * A string is a path over the (first) argument: `'headers."idempotency-key"'`, `'powertools_json(body).[tenant, orderId]'`.
 * `jmespath('…')` of `middy-idempotency/jmespath` is any other expression of JMESPath. A function gets all arguments. Its
 * promise is not awaited: await in a middleware in front.
 */
export type Selector<Args extends readonly unknown[] = readonly [event: unknown]> =
  | string
  | CompiledExpression
  | ((...args: Args) => unknown);

/** {@link missing} says whether what it selects identifies a request. */
export interface CompiledSelector {
  readonly hashDepth: number;
  readonly isFunction: boolean;
  /** @throws IdempotencyError `KEY_INVALID` when the request is malformed */
  select(args: readonly unknown[]): unknown;
}

/** @throws TypeError that names the option */
export function compileSelector(option: string, selector: Selector<never>): CompiledSelector {
  const isFunction = typeof selector === 'function';
  const expression = isFunction
    ? // An absent member is a mistake of the function, as it is in a hash.
      { search: selector as (...args: unknown[]) => unknown, hashDepth: 1 }
    : typeof selector === 'string'
      ? pathOf(option, selector)
      : selector;
  if (typeof expression?.search !== 'function') {
    const problem = selector === undefined ? 'is required:' : 'must be';
    throw optionError(option, `${problem} a path, such as 'order.id', a function, or jmespath('…')`);
  }
  const { hashDepth, notKey } = expression as CompiledExpression;
  if (option === 'key' && notKey) throw optionError(option, notKey);
  return {
    hashDepth,
    isFunction,
    select(args) {
      let selected: unknown;
      try {
        selected = expression.search(...(args as [event: unknown]));
      } catch (cause) {
        throw unreadable(option, cause);
      }
      // A mistake in the program, not of the client.
      if (isFunction && isPromise(selected)) {
        throw optionError(option, 'the function returned a promise; await it in a middleware in front');
      }
      return selected;
    },
  };
}

/** Without the engine, an expression that is malformed and one that is more than a path look the same. */
function pathOf(option: string, text: string): CompiledExpression {
  const path = compilePath(text);
  if (path) return path;
  const advice =
    hyphenAdvice(text) ??
    `for all of JMESPath, write ${option}: jmespath('…'), which you import from 'middy-idempotency/jmespath'`;
  throw optionError(option, `\`${text}\` is no path: ${advice}`);
}

/** A request from which nothing can be selected is the client's mistake, and is never executed unguarded. */
function unreadable(option: string, cause: unknown): IdempotencyError {
  if (cause instanceof IdempotencyError) return cause;
  const reason = cause instanceof NotText ? cause.message : 'see the cause.';
  return unusable(option, 'read: the request is malformed', {
    // The parser's message quotes the request.
    cause: cause instanceof SyntaxError ? new SyntaxError('no JSON') : cause,
    advice: `The option \`${option}\` threw: ${reason}`,
  });
}

const ABSENT = 'it is absent';
const EMPTY = 'it is empty';

/**
 * Why a selected value cannot identify a request; `undefined` when it can. `0` and `false` do. Nothing, blanks, and a list
 * or a hash with a gap do not.
 *
 * @param hashDepth how many levels of objects must have no gap. Below them, whatever is there identifies the request
 * @param isFunction a function selected it: then `undefined` is a gap on every level. JSON has none, so that the function
 * has looked for what is not there
 */
export function missing(selected: unknown, hashDepth: number, isFunction = false): string | undefined {
  const isBelow = hashDepth < 0;
  if (selected === undefined || (selected === null && !isBelow)) return ABSENT;
  if (typeof selected === 'string' && !isBelow && selected.trim() === '') return EMPTY;
  if (!isObject(selected)) return undefined;
  const isList = Array.isArray(selected);
  // A hole of a list is an absent member.
  const members = Object.entries(isList ? Object.assign(Array.from(selected), selected) : selected);
  if (members.length === 0 && !isBelow && (isList || isPlainObject(selected))) return EMPTY;
  const nextDepth = isList || isBelow ? hashDepth : hashDepth - 1;
  if (nextDepth < 0 && !isFunction) return undefined;
  for (const [name, member] of members) {
    const gap = missing(member, nextDepth, isFunction);
    if (gap) return `its member ${name}: ${gap}`;
  }
  return undefined;
}
