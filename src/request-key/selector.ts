import { IdempotencyError, optionError } from '../errors.ts';
import { isPlainObject } from './data.ts';
import { type CompiledExpression, compilePath, hyphenAdvice } from './path.ts';
import { NotText } from './powertools.ts';

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

export interface CompiledSelector {
  /** @throws IdempotencyError `KEY_INVALID` when the request is malformed */
  select(args: readonly unknown[]): unknown;
  /** Why the selected value cannot identify a request; `undefined` when it can. */
  missing(selected: unknown): string | undefined;
}

/** @throws TypeError that names the option */
export function compileSelector(option: string, selector: Selector<never>): CompiledSelector {
  if (typeof selector === 'function') {
    const select = selector as (...args: readonly unknown[]) => unknown;
    return {
      select: (args) =>
        refusePromise(
          option,
          guarded(option, () => select(...args)),
        ),
      // The function has made its answer itself, as a multi-select hash does: an absent member is a mistake.
      missing: (selected) => missing(selected, 1) ?? undefinedWithin(selected),
    };
  }
  const expression = typeof selector === 'string' ? pathOf(option, selector) : selector;
  if (typeof expression?.search !== 'function') {
    throw optionError(option, "must be a path, such as 'order.id', a function, or jmespath('…')");
  }
  if (option === 'key' && expression.notKey !== undefined) throw optionError(option, expression.notKey);
  return {
    select: ([event]) => guarded(option, () => expression.search(event)),
    missing: (selected) => missing(selected, expression.hashDepth),
  };
}

/** Without the engine, an expression that is malformed and one that is more than a path look the same. */
function pathOf(option: string, text: string): CompiledExpression {
  const path = compilePath(text);
  if (path !== undefined) return path;
  const advice =
    hyphenAdvice(text) ??
    `for the whole of JMESPath, import { jmespath } from 'middy-idempotency/jmespath' and write ${option}: jmespath('…'). ` +
      'It also says what is wrong in an expression';
  throw optionError(option, `\`${text}\` is no path: ${advice}`);
}

/** A request from which nothing can be selected is the client's mistake, and is never executed unguarded. */
function guarded(option: string, select: () => unknown): unknown {
  try {
    return select();
  } catch (cause) {
    if (cause instanceof IdempotencyError) throw cause;
    const reason = cause instanceof NotText ? `: ${cause.message}` : '; the cause has the details.';
    throw new IdempotencyError(
      'KEY_INVALID',
      `The idempotency ${option} cannot be read from this request: the request is malformed.`,
      { cause, advice: `Evaluating the option \`${option}\` threw${reason}` },
    );
  }
}

/** A mistake in the program, not of the client. @throws TypeError */
function refusePromise(option: string, selected: unknown): unknown {
  if (selected instanceof Promise) {
    selected.catch(() => undefined);
    throw optionError(option, 'the function returned a promise; await it in a middleware in front');
  }
  return selected;
}

/** What comes from JSON has no `undefined`: a function that selects one has looked for what is not there. */
function undefinedWithin(selected: unknown): string | undefined {
  return gapAmong(selected, (member) => (member === undefined ? ABSENT : undefinedWithin(member)));
}

/** `0` and `false` identify a request. Nothing, blanks, and a list or a hash with a gap do not. */
export function missing(selected: unknown, hashDepth: number): string | undefined {
  if (selected === null || selected === undefined) return ABSENT;
  if (typeof selected === 'string') return selected.trim() === '' ? EMPTY : undefined;
  if (typeof selected !== 'object') return undefined;
  const isList = Array.isArray(selected);
  if (Object.keys(selected).length === 0 && (isList ? selected.length === 0 : isPlainObject(selected))) return EMPTY;
  if (!isList && hashDepth === 0) return undefined;
  return gapAmong(selected, (member) => missing(member, isList ? hashDepth : hashDepth - 1));
}

const ABSENT = 'it is absent';
const EMPTY = 'it is empty';

/** The first gap of a list or an object. A hole of a list is an absent member. */
function gapAmong(value: unknown, gapOf: (member: unknown) => string | undefined): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const members = Object.entries(Array.isArray(value) ? Object.assign(Array.from(value), value) : value);
  for (const [name, member] of members) {
    const gap = gapOf(member);
    if (gap !== undefined) return `its member ${name}: ${gap}`;
  }
  return undefined;
}
