import { JMESPathTypeError, search } from '@aws-lambda-powertools/jmespath';
import { PowertoolsFunctions } from '@aws-lambda-powertools/jmespath/functions';
import { optionError } from '../errors.ts';

export interface CompiledExpression {
  /** How deep multi-select hashes (`{a: x}`) are nested in the expression; 0 without any. */
  readonly hashDepth: number;
  /** @throws SelectionFailure, or one of JMESPath's own errors */
  search(event: unknown): unknown;
}

type Data = Parameters<typeof search>[1];
type JmespathFunction = (args: unknown[]) => unknown;
type FunctionTable = Record<string, JmespathFunction>;

/**
 * A JMESPath expression, parsed and its functions looked up at construction, so that a typo fails the deployment and
 * not the first payment. `powertools_json`, `powertools_base64` and `powertools_base64_gzip` are known.
 *
 * @throws TypeError that names the option
 */
export function compileExpression(option: string, expression: string): CompiledExpression {
  try {
    search(expression, null as unknown as Data, { customFunctions: anyFunction });
  } catch (cause) {
    throw optionError(option, `\`${expression}\` is no JMESPath expression: ${(cause as Error).message}`, cause);
  }
  const outline = withoutLiterals(expression);
  for (const [, name = ''] of outline.matchAll(/([A-Za-z_][A-Za-z0-9_]*)\s*\(/g)) {
    if (!strictFunctions.methods.has(methodName(name))) {
      throw optionError(option, `\`${expression}\` calls ${name}(), which is no function of JMESPath or Powertools`);
    }
  }
  return {
    hashDepth: hashDepth(outline),
    search: (event) => search(expression, event as Data, { customFunctions: strictFunctions }),
  };
}

/**
 * What a function of the expression could not do: `powertools_json` with malformed JSON, say.
 *
 * The library's interpreter swallows what a function throws and goes on with `undefined`, so that malformed JSON would
 * select nothing; only its own type errors pass. Hence the base class.
 */
class SelectionFailure extends JMESPathTypeError {
  constructor(cause: unknown) {
    super({ currentValue: undefined, actualType: 'malformed', expectedTypes: [] });
    this.name = 'SelectionFailure';
    this.message = 'a function of the expression failed';
    this.cause = cause;
  }
}

const strictFunctions = makeStrict(new PowertoolsFunctions());

function makeStrict(functions: PowertoolsFunctions): PowertoolsFunctions {
  functions.introspectMethods();
  const table = functions as unknown as FunctionTable;
  for (const name of functions.methods) {
    const method = table[name];
    if (method !== undefined) table[name] = strict(method.bind(functions), name.startsWith('funcPowertools'));
  }
  // The interpreter asks at every search. The answer stays the same.
  functions.introspectMethods = () => functions.methods;
  return functions;
}

function strict(method: JmespathFunction, decodes: boolean): JmespathFunction {
  return (args) => {
    // Nothing to decode is nothing selected: a request without a body has no key, it is not malformed.
    if (decodes && args.length === 1 && (args[0] ?? null) === null) return null;
    try {
      return method(args);
    } catch (error) {
      throw error instanceof JMESPathTypeError ? error : new SelectionFailure(error);
    }
  };
}

/** Knows every function and does nothing: shows whether an expression parses, before there is an event. */
const anyFunction = new Proxy({} as PowertoolsFunctions, {
  get: (_, name) => (name === 'methods' ? { has: () => true } : () => null),
});

/** As the library names them: `powertools_json` is the method `funcPowertoolsJson`. */
function methodName(name: string): string {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return `func${camel.charAt(0).toUpperCase()}${camel.slice(1)}`;
}

/** The expression without its raw strings, quoted identifiers and JSON literals: only structure is left. */
function withoutLiterals(expression: string): string {
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
