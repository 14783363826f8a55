import { ArityError, search, VariadicArityError } from '@aws-lambda-powertools/jmespath';
import type { PowertoolsFunctions } from '@aws-lambda-powertools/jmespath/functions';
import { optionError } from '../errors.ts';
import { type FunctionTable, strictFunctions } from './functions.ts';
import { compilePath } from './path.ts';

export interface CompiledExpression {
  /** How deep multi-select hashes (`{a: x}`) are nested in the expression; 0 without any. */
  readonly hashDepth: number;
  /** @throws SelectionFailure, or one of JMESPath's own errors */
  search(event: unknown): unknown;
}

type Data = Parameters<typeof search>[1];

/**
 * A JMESPath expression, parsed and its functions looked up at construction, so that a typo fails the deployment and
 * not the first payment. `powertools_json`, `powertools_base64` and `powertools_base64_gzip` are known.
 *
 * @throws TypeError that names the option
 */
export function compileExpression(option: string, expression: string): CompiledExpression {
  const select = compilePath(expression);
  if (select !== undefined) return { hashDepth: 0, search: select };
  try {
    search(expression, null as unknown as Data, { customFunctions: anyFunction });
  } catch (cause) {
    throw optionError(option, `\`${expression}\` is no JMESPath expression: ${reasonOf(expression, cause)}`, cause);
  }
  const outline = withoutLiterals(expression);
  // Stryker disable next-line StringLiteral: the group has always matched, but the type needs a default
  for (const [, name = ''] of outline.matchAll(/([A-Za-z_][A-Za-z0-9_]*)\s*\(/g)) {
    if (!strictFunctions.methods.has(methodName(name))) {
      throw optionError(option, `\`${expression}\` calls ${name}(), which is no function of JMESPath or Powertools`);
    }
  }
  refuseInheritedNames(option, expression);
  return {
    hashDepth: hashDepth(outline),
    search: (event) => search(expression, event as Data, { customFunctions: strictFunctions }),
  };
}

function reasonOf(expression: string, cause: unknown): string {
  const { message } = cause as Error;
  const isHyphenated = /\w-\w/.test(withoutLiterals(expression));
  return isHyphenated
    ? `a name with a hyphen needs quotation marks, as in headers."idempotency-key": ${message}`
    : message;
}

/**
 * The library would find them in every object: a request without an own `constructor` would not be without a key. A path
 * does not ({@link compilePath}), other expressions may not have them.
 */
function refuseInheritedNames(option: string, expression: string): void {
  for (const [name] of expression.matchAll(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|\w+/g)) {
    if ((name.startsWith('"') ? JSON.parse(name) : name) in Object.prototype) {
      throw optionError(option, `\`${expression}\` has a name that every object has, ${name}: give a function`);
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
    // Stryker disable next-line OptionalChaining: a function that is not known is refused by its name, below
    (strictFunctions as unknown as FunctionTable)[name]?.(args);
  } catch (error) {
    if (error instanceof ArityError || error instanceof VariadicArityError) throw error;
  }
  return null;
}

/** As the library names them: `powertools_json` is the method `funcPowertoolsJson`. */
function methodName(name: string): string {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return `func${camel.charAt(0).toUpperCase()}${camel.slice(1)}`;
}

/** The expression without its raw strings, quoted identifiers and JSON literals: only structure is left. */
function withoutLiterals(expression: string): string {
  // Stryker disable next-line StringLiteral: no literal stands between a name and its parenthesis
  return expression.replace(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`/g, ' ');
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
