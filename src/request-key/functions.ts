import { isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { ArityError, JMESPathTypeError, VariadicArityError } from '@aws-lambda-powertools/jmespath';
import { PowertoolsFunctions } from '@aws-lambda-powertools/jmespath/functions';
import { holdsRoundedInteger } from './numbers.ts';

type JmespathFunction = (args: unknown[]) => unknown;
/** The functions as the interpreter calls them: `powertools_json` is `funcPowertoolsJson`, with a list of arguments. */
export type FunctionTable = Record<string, JmespathFunction>;

/** A Lambda request has 6 MB at most (AWS: "Lambda quotas"); what unpacks to much more is an attack. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/**
 * The functions of JMESPath and Powertools, as a key needs them: what they cannot do ends the search, and two different
 * requests never look the same.
 *
 * The library's interpreter swallows what a function throws and goes on with `undefined`, so that malformed JSON would
 * select nothing.
 */
export const strictFunctions = makeStrict(new PowertoolsFunctions());

/** Only the interpreter's own type errors pass through it, hence the base class. */
class SelectionFailure extends JMESPathTypeError {
  constructor(cause: unknown) {
    // Stryker disable next-line StringLiteral,ArrayDeclaration: the message that is made of them is replaced below
    super({ currentValue: undefined, actualType: 'malformed', expectedTypes: [] });
    this.name = 'SelectionFailure';
    this.message = 'a function of the expression failed';
    this.cause = cause;
  }
}

/** What `powertools_json` should read as text is none any more. */
export class ParsedAlready extends SelectionFailure {
  readonly advice: string;

  constructor(value: unknown) {
    super(undefined);
    const type = Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
    // The library appends the expression to its message.
    this.advice =
      `powertools_json() got ${type}, and reads text. Has a body parser in front of this guard parsed it? ` +
      'Use this guard first.';
  }
}

function makeStrict(functions: PowertoolsFunctions): PowertoolsFunctions {
  functions.introspectMethods();
  const table = functions as unknown as FunctionTable;
  for (const name of functions.methods) {
    const method = table[name] as JmespathFunction;
    table[name] = failing(refine(name, method.bind(functions)));
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
    case 'funcPowertoolsJson':
      return absentStaysAbsent((args) => {
        if (args.length === 1 && typeof args[0] !== 'string') throw new ParsedAlready(args[0]);
        return method(args);
      });
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
    case 'funcPowertoolsBase64':
      return absentStaysAbsent((args) => {
        const text = method(args);
        requireUtf8(Buffer.from(args[0] as string, 'base64'));
        return text;
      });
    case 'funcPowertoolsBase64Gzip':
      return absentStaysAbsent((args) => {
        if (typeof args[0] !== 'string') return method(args);
        const bytes = gunzipSync(Buffer.from(args[0], 'base64'), { maxOutputLength: MAX_UNPACKED_BYTES });
        requireUtf8(bytes);
        return bytes.toString();
      });
    case 'funcToString':
      return absentStaysAbsent((args) => {
        if (holdsRoundedInteger(args[0])) throw new RangeError('to_string() of an integer beyond 2^53');
        return method(args);
      });
    default:
      return method;
  }
}

/** A number as JSON writes it (RFC 8259, section 6), which is what the specification of `to_number` asks for. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** `powertools_json` of one value, without a table of functions. @throws as the function does */
export function parsedJson(text: unknown): unknown {
  if (typeof text !== 'string') return (strictFunctions as unknown as FunctionTable)['funcPowertoolsJson']?.([text]);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SelectionFailure(error);
  }
}

/** Nothing to read is nothing selected: a request without a body has no key, not the key "null". */
function absentStaysAbsent(method: JmespathFunction): JmespathFunction {
  return (args) => (args.length === 1 && (args[0] ?? null) === null ? null : method(args));
}

/** Decoding replaces every malformed byte by the same character. */
function requireUtf8(bytes: Buffer): void {
  if (!isUtf8(bytes)) throw new TypeError('the decoded bytes are not UTF-8');
}
