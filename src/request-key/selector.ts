import { IdempotencyError, optionError } from '../errors.ts';
import { canonicalJson, isPlainObject } from './canonical.ts';
import { ParsedAlready } from './functions.ts';
import { compileExpression } from './jmespath.ts';

/**
 * What picks a key, a scope or a fingerprint from a request: a JMESPath expression over the (first) argument, or a
 * function of the arguments. A promise is not waited for: what must be awaited belongs into a middleware in front.
 */
export type Selector<Args extends readonly unknown[] = readonly [event: unknown]> =
  | string
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
      // The function has put its answer together itself, as a multi-select hash does: an absent member is a mistake.
      missing: (selected) => missing(selected, 1) ?? undefinedWithin(selected),
    };
  }
  if (typeof selector !== 'string' || selector.trim() === '') {
    throw optionError(option, 'must be a JMESPath expression or a function');
  }
  const expression = compileExpression(option, selector);
  const compiled: CompiledSelector = {
    select: (args) => guarded(option, () => expression.search(args[0])),
    missing: (selected) => missing(selected, expression.hashDepth),
  };
  if (option === 'key' && isConstant(compiled)) {
    throw optionError(
      option,
      `\`${selector}\` selects the same from requests that have nothing in common, which would share one record. Select a ` +
        "member, without a default: id is one, 'id' is a text. What becomes of a request without a key, onMissingKey says",
    );
  }
  return compiled;
}

/** They have no member that an expression could mean, differ in size and type, and none is null, of which literals select nothing. */
const STRANGERS = [{}, { 'a member that nobody selects': 1 }, 'text'];

/**
 * A key must not be a constant, as `'id'` is, nor fall back to one. A scope may be one, where there is one tenant, and a fingerprint
 * may fall back to one.
 */
function isConstant({ select, missing }: CompiledSelector): boolean {
  const [first, ...others] = STRANGERS.map((stranger) => {
    try {
      const selected = select([stranger]);
      return missing(selected) === undefined ? canonicalJson('key', selected) : undefined;
    } catch {
      return undefined;
    }
  });
  return first !== undefined && others.every((other) => other === first);
}

/** A request from which nothing can be selected is the client's mistake, and is never executed unguarded. */
function guarded(option: string, select: () => unknown): unknown {
  try {
    return select();
  } catch (cause) {
    if (cause instanceof IdempotencyError) throw cause;
    throw new IdempotencyError(
      'KEY_INVALID',
      `The idempotency ${option} cannot be read from this request: the request is malformed.`,
      { cause, advice: `Evaluating the option \`${option}\` threw${reasonOf(cause)}` },
    );
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof ParsedAlready ? `: ${cause.advice}` : '; the cause has the details.';
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
  if (typeof selected !== 'object' || selected === null) return undefined;
  for (const [name, member] of membersOf(selected)) {
    const gap = member === undefined ? 'it is absent' : undefinedWithin(member);
    if (gap !== undefined) return `its member ${name}: ${gap}`;
  }
  return undefined;
}

/** `0` and `false` identify a request. Nothing, blanks, and a list or a hash with a gap do not. */
function missing(selected: unknown, hashDepth: number): string | undefined {
  if (selected === null || selected === undefined) return 'it is absent';
  if (typeof selected === 'string') return selected.trim() === '' ? 'it is empty' : undefined;
  // Stryker disable next-line ConditionalExpression: a number or a boolean has no members either, but the type needs it
  if (typeof selected !== 'object') return undefined;
  const isList = Array.isArray(selected);
  const members = membersOf(selected);
  if (members.length === 0 && (isList || isPlainObject(selected))) return 'it is empty';
  if (!isList && hashDepth === 0) return undefined;
  for (const [name, member] of members) {
    const gap = missing(member, isList ? hashDepth : hashDepth - 1);
    if (gap !== undefined) return `its member ${name}: ${gap}`;
  }
  return undefined;
}

/** By name. A hole of a list is an absent member. */
function membersOf(value: object): [name: string, member: unknown][] {
  return Object.entries(Array.isArray(value) ? Object.assign(Array.from(value), value) : value);
}
