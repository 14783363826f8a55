import { parseOptions, TEXT, wholeNumber } from '../../tools/arguments.ts';

export interface Settings {
  /** How long the soak lasts. */
  readonly seconds: number;
}

export const USAGE = `Usage: npm run test:load -- [options]

Storms of 1,000 and of 10,000 duplicates of one key, a mixed load and a soak, through the
Middy middleware and through a guarded function, on DynamoDB Local. Fails when a key was
executed more or less often than once, when an answer is wrong, when the heap grows beyond
its bound, or when a timer or a socket is left. Ctrl-C ends everything.

Options:
  --seconds <number>  How long the soak lasts, from 1 to 3600. Default 20.
  -h, --help          Print this.

Environment:
  DYNAMODB_ENDPOINT   A DynamoDB Local that runs already, such as http://127.0.0.1:8000.
                      Default: one is started, with Java 17 or later, or Docker.`;

/** @returns undefined where help is asked for. @throws UsageError */
export function readSettings(args: readonly string[]): Settings | undefined {
  const { help, seconds = '20' } = parseOptions(args, { seconds: TEXT });
  return help === true ? undefined : { seconds: wholeNumber('--seconds', seconds, { from: 1, to: 3600 }) };
}
