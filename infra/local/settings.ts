import { parseOptions, part, TEXT } from '../../tools/arguments.ts';

export interface Settings {
  /** Where the HTTP server listens on 127.0.0.1; 0 is any free port. */
  readonly port: number;
  /** How long the fake processor takes to answer, milliseconds. */
  readonly processorLatencyMillis: number;
}

/** What goes wrong on purpose: parts of one. */
export interface Options {
  readonly help: boolean;
  readonly duplicates: number;
  readonly crashes: number;
}

export const USAGE = `Usage: npm start -- [options]

Runs the payments example on this machine: DynamoDB Local, its tables, and the Lambda handler
behind HTTP. Behind the payments it runs outbox, stream, publisher, queue and ledger.
Prints curl lines to try it with. Ctrl-C ends it.

Options:
  --duplicates <number>  Which part of the events is published twice, 0 to 1. Default 0.
  --crashes <number>     In which part of its invocations the process of a consumer or publisher is
                         killed, 0 to 0.9. Default 0.
  -h, --help             Print this.

Environment:
  PORT                      Where to listen on 127.0.0.1; 0 is any free port. Default 3000.
  DYNAMODB_ENDPOINT         A DynamoDB Local that runs already, such as http://127.0.0.1:8000.
                            Default: one is started, in Java 17 or later, in Docker, or in a Java
                            that is installed into node_modules/.cache by Python 3.
  PROCESSOR_LATENCY_MILLIS  How long the fake payment processor takes to answer. Default 500.`;

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  const { help = false, duplicates = '0', crashes = '0' } = parseOptions(args, { duplicates: TEXT, crashes: TEXT });
  return { help, duplicates: part('--duplicates', duplicates), crashes: part('--crashes', crashes, 0.9) };
}

/** @throws Error that names the variable */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const endpoint = environment['DYNAMODB_ENDPOINT'];
  if (endpoint && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw new Error(`DYNAMODB_ENDPOINT must be a URL such as http://127.0.0.1:8000, not '${endpoint}'`);
  }
  return {
    port: wholeNumber(environment, 'PORT', 3000, 65_535),
    processorLatencyMillis: wholeNumber(environment, 'PROCESSOR_LATENCY_MILLIS', 500, 60_000),
  };
}

function wholeNumber(environment: NodeJS.ProcessEnv, name: string, fallback: number, max: number): number {
  const text = environment[name]?.trim() ?? '';
  if (text === '') return fallback;
  if (!/^\d{1,9}$/.test(text) || Number(text) > max) {
    throw new Error(`${name} must be a whole number from 0 to ${max}, not '${text}'`);
  }
  return Number(text);
}
