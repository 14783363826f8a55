import { parseOptions, part, TEXT, UsageError } from '../../tools/arguments.ts';

export interface Settings {
  /** Where the HTTP server listens on 127.0.0.1; 0 is any free port. */
  readonly port: number;
  /** How long the fake processor takes to answer, milliseconds. */
  readonly processorLatencyMillis: number;
}

const STORES = ['dynamodb', 'postgres'] as const;

export interface Options {
  readonly help: boolean;
  /** Where payments, ledger and records are. */
  readonly store: (typeof STORES)[number];
  /** What goes wrong on purpose: parts of one. */
  readonly duplicates: number;
  readonly crashes: number;
}

export const USAGE = `Usage: npm start -- [options]

Runs the payments example on this machine: a database, its tables, and the Lambda handler
behind HTTP. Behind the payments it runs outbox, publisher, queue and ledger.
Serves a page to try it with, and prints curl lines. Ctrl-C ends it.

Options:
  --store <name>         Where payments, ledger and records are: dynamodb or postgres. Default
                         dynamodb.
  --duplicates <number>  Which part of the events is published twice, 0 to 1. Default 0.
  --crashes <number>     In which part of its invocations the process of a consumer or publisher is
                         killed, 0 to 0.9. Default 0.
  -h, --help             Print this.

Environment:
  PORT                      Where to listen on 127.0.0.1; 0 is any free port. Default 3000.
  DYNAMODB_ENDPOINT         A DynamoDB Local that runs already, such as http://127.0.0.1:8000.
                            Default: one is started, in Java 17 or later, in Docker, or in a Java
                            that is installed into node_modules/.cache by Python 3.
  POSTGRES_URL              A PostgreSQL that runs already, such as
                            postgres://user:password@127.0.0.1:5432/postgres. The tables are made in
                            its schema payments_example. Default: one is started.
  PROCESSOR_LATENCY_MILLIS  How long the fake payment processor takes to answer. Default 500.`;

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  const options = { store: TEXT, duplicates: TEXT, crashes: TEXT };
  const { help = false, store: name = 'dynamodb', duplicates = '0', crashes = '0' } = parseOptions(args, options);
  const store = STORES.find((one) => one === name);
  if (store === undefined) throw new UsageError(`--store must be one of ${STORES.join(', ')}, not '${name}'`);
  return { help, store, duplicates: part('--duplicates', duplicates), crashes: part('--crashes', crashes, 0.9) };
}

/** @throws Error that names the variable */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const endpoint = environment['DYNAMODB_ENDPOINT'];
  if (endpoint && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw new Error(`DYNAMODB_ENDPOINT must be a URL such as http://127.0.0.1:8000, not '${endpoint}'`);
  }
  // It may have a password, so it is not printed.
  const postgres = environment['POSTGRES_URL'];
  if (postgres && !/^postgres(ql)?:$/.test(URL.parse(postgres)?.protocol ?? '')) {
    throw new Error('POSTGRES_URL must be a URL such as postgres://user:password@127.0.0.1:5432/postgres');
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
