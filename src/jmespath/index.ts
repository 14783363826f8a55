import { ArityError, search, VariadicArityError } from '@aws-lambda-powertools/jmespath';
import type { PowertoolsFunctions } from '@aws-lambda-powertools/jmespath/functions';
import { canonicalJson } from '../request-key/canonical.ts';
import { type CompiledExpression, compilePath, hyphenAdvice, withoutLiterals } from '../request-key/path.ts';
import { missing } from '../request-key/selector.ts';
import { type FunctionTable, methodName, SelectionFailure, strictFunctions } from './functions.ts';

export type { CompiledExpression } from '../request-key/path.ts';

type Data = Parameters<typeof search>[1];

/**
 * An expression of JMESPath, for the options `key`, `scope` and `fingerprint`: `key: jmespath('items[].id')`. It knows
 * the functions of JMESPath and `powertools_json`, `powertools_base64`, `powertools_base64_gzip`.
 *
 * A path means the same with and without `jmespath`. What is more than a path is evaluated by the engine of Powertools,
 * which this import adds to a bundle (27 KB, minified).
 *
 * @throws TypeError at once when the expression is malformed or calls a function that does not exist
 */
export function jmespath(expression: string): CompiledExpression {
  if (typeof expression !== 'string') throw refusal('jmespath(expression): must be a string');
  const path = compilePath(expression);
  if (path !== undefined) return path;
  try {
    search(expression, null as unknown as Data, { customFunctions: anyFunction });
  } catch (cause) {
    const { message } = cause as Error;
    const advice = hyphenAdvice(expression);
    const reason = advice === undefined ? message : `${advice}: ${message}`;
    throw refusal(`\`${expression}\` is no JMESPath expression: ${reason}`, cause);
  }
  const outline = withoutLiterals(expression);
  refuseUnknownFunctions(expression, outline);
  refuseInheritedNames(expression);
  const compiled = { hashDepth: hashDepth(outline), search: (event: unknown) => evaluate(expression, event) };
  if (!isConstant(compiled)) return compiled;
  const notKey =
    `\`${expression}\` selects the same from requests that have nothing in common, which would share one record. Select a ` +
    "member, without a default: id is one, 'id' is a text. What becomes of a request without a key, onMissingKey says";
  return { ...compiled, notKey };
}

function refusal(problem: string, cause?: unknown): TypeError {
  return new TypeError(`middy-idempotency: ${problem}`, { cause });
}

/** The library has a cache of parsed expressions. */
function evaluate(expression: string, event: unknown): unknown {
  try {
    return search(expression, event as Data, { customFunctions: strictFunctions });
  } catch (error) {
    throw error instanceof SelectionFailure ? error.cause : error;
  }
}

function refuseUnknownFunctions(expression: string, outline: string): void {
  // Stryker disable next-line StringLiteral: the group has always matched, but the type needs a default
  for (const [, name = ''] of outline.matchAll(/([A-Za-z_][A-Za-z0-9_]*)\s*\(/g)) {
    if (!strictFunctions.methods.has(methodName(name))) {
      throw refusal(`\`${expression}\` calls ${name}(), which is no function of JMESPath or Powertools`);
    }
  }
}

/**
 * The library would find them in every object: a request without an own `constructor` would not be without a key. A path
 * does not ({@link compilePath}), other expressions may not have them.
 */
function refuseInheritedNames(expression: string): void {
  for (const [name] of expression.matchAll(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|\w+/g)) {
    if ((name.startsWith('"') ? JSON.parse(name) : name) in Object.prototype) {
      throw refusal(`\`${expression}\` has a name that every object has, ${name}: give a function`);
    }
  }
}

/** Knows every function, and calls none with real arguments: shows what is wrong before there is an event. */
const anyFunction = new Proxy({} as PowertoolsFunctions, {
  get: (_, name) => (name === 'methods' ? { has: () => true } : (args: unknown[]) => probe(String(name), args)),
});

/** A wrong number of arguments is wrong for every event; their types depend on it. */
function probe(name: string, args: unknown[]): null {
  try {
    // Stryker disable next-line OptionalChaining: a function that is not known is refused by its name
    (strictFunctions as unknown as FunctionTable)[name]?.(args);
  } catch (error) {
    if (error instanceof ArityError || error instanceof VariadicArityError) throw error;
  }
  return null;
}

function hashDepth(outline: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of outline) {
    if (character === '{') deepest = Math.max(deepest, ++depth);
    if (character === '}') depth--;
  }
  return deepest;
}

/** They have no member that an expression could mean, differ in size and type, and none is null, of which literals select nothing. */
const STRANGERS = [{}, { 'a member that no expression selects': 1 }, 'text'];

/**
 * A key must not be a constant, as `'id'` is, nor fall back to one. A scope may be one, where there is one tenant, and a fingerprint
 * may fall back to one. A path never is.
 */
function isConstant({ search, hashDepth }: CompiledExpression): boolean {
  const [first, ...others] = STRANGERS.map((stranger) => {
    try {
      const selected = search(stranger);
      return missing(selected, hashDepth) === undefined ? canonicalJson('key', selected) : undefined;
    } catch {
      return undefined;
    }
  });
  return first !== undefined && others.every((other) => other === first);
}
