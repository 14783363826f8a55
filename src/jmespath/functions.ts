import { ArityError, JMESPathTypeError, VariadicArityError } from '@aws-lambda-powertools/jmespath';
import { PowertoolsFunctions } from '@aws-lambda-powertools/jmespath/functions';
import { holdsRoundedInteger } from '../request-key/canonical.ts';
import { POWERTOOLS_FUNCTIONS } from '../request-key/path.ts';

type JmespathFunction = (args: unknown[]) => unknown;
/** The functions as the interpreter calls them: `powertools_json` is `funcPowertoolsJson`, with a list of arguments. */
export type FunctionTable = Record<string, JmespathFunction>;

/**
 * The functions of JMESPath and Powertools, as a key needs them. What they cannot do ends the search, so that two different
 * requests never look the same.
 *
 * The library's interpreter swallows what a function throws and goes on with `undefined`, so that malformed JSON would
 * select nothing.
 */
export const strictFunctions = makeStrict(new PowertoolsFunctions());

/** Carries an error through the interpreter, which lets only its own type errors pass, hence the base class. */
export class SelectionFailure extends JMESPathTypeError {
  constructor(cause: unknown) {
    super({ currentValue: undefined, actualType: 'malformed', expectedTypes: [] });
    this.cause = cause;
  }
}

/** As the library names them: `powertools_json` is the method `funcPowertoolsJson`. */
export function methodName(name: string): string {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return `func${camel.charAt(0).toUpperCase()}${camel.slice(1)}`;
}

function makeStrict(functions: PowertoolsFunctions): PowertoolsFunctions {
  functions.introspectMethods();
  const table = functions as unknown as FunctionTable;
  for (const name of functions.methods) {
    const method = table[name] as JmespathFunction;
    table[name] = failing(refine(name, method.bind(functions)));
  }
  for (const [name, read] of POWERTOOLS_FUNCTIONS) {
    const method = table[methodName(name)] as JmespathFunction;
    // The library's own says what is wrong with the number of arguments.
    table[methodName(name)] = failing((args) => (args.length === 1 ? read(args[0]) : method(args)));
  }
  // The interpreter has them found anew at every search. They stay the same.
  // Stryker disable next-line ArrowFunction: the interpreter reads `methods`, and not what this answers
  functions.introspectMethods = () => functions.methods;
  return functions;
}

function failing(method: JmespathFunction): JmespathFunction {
  return (args) => {
    try {
      return method(args);
    } catch (error) {
      const passes =
        error instanceof JMESPathTypeError || error instanceof ArityError || error instanceof VariadicArityError;
      throw passes ? error : new SelectionFailure(error);
    }
  };
}

/** Where the library's own function would make two different requests alike. */
function refine(name: string, method: JmespathFunction): JmespathFunction {
  switch (name) {
    case 'funcMap':
      return (args) => {
        const [expression, list] = args as [{ visit(value: unknown): unknown }, unknown];
        if (args.length !== 2 || !Array.isArray(list)) return method(args);
        return list.map((item) => expression.visit(item) ?? null);
      };
    case 'funcNotNull':
      return (args) => (args.length === 0 ? method(args) : (args.find((arg) => (arg ?? null) !== null) ?? null));
    case 'funcToNumber':
      return (args) =>
        args.length === 1 && typeof args[0] === 'string' && !NUMBER.test(args[0]) ? null : method(args);
    case 'funcSort':
    case 'funcReverse':
      // The library's own change the list itself, which is the event's.
      return (args) => method(args.map((arg) => (Array.isArray(arg) ? [...arg] : arg)));
    case 'funcToString':
      return (args) => {
        // Nothing is no text, not the text "null".
        if (args.length === 1 && (args[0] ?? null) === null) return null;
        if (holdsRoundedInteger(args[0])) throw new RangeError('to_string() of an integer beyond 2^53');
        return method(args);
      };
    default:
      return method;
  }
}

/** A number as JSON writes it (RFC 8259, section 6), which is what the specification of `to_number` asks for. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
