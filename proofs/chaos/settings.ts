import { randomInt } from 'node:crypto';
import { parseOptions, TEXT, wholeNumber } from '../../tools/arguments.ts';

export interface Settings {
  readonly seed: number;
  /** How long the storm lasts. */
  readonly seconds: number;
  /** In all processes together. */
  readonly clients: number;
}

export const USAGE = `Usage: npm run test:chaos -- [options]

Hundreds of clients in several processes send requests and retries through a proxy that
drops, delays, duplicates and refuses them, to DynamoDB Local with its data on disk.
Processes of clients and the database are killed in the middle. Then the history is judged.
Needs Java 17 or later. Ctrl-C ends everything.

Options:
  --seed <number>     Chooses the faults, what the handlers do, and who is killed. The same seed
                      makes the same choices; how the processes interleave is up to the machine.
                      Default: a random one, which is printed.
  --seconds <number>  How long the storm lasts, from 5 to 600. Default 45.
  --clients <number>  How many clients, from 4 to 1000. Default 240. With fewer, a slow machine has the
                      time to answer them.
  -h, --help          Print this.`;

/** @returns undefined where help is asked for. @throws UsageError */
export function readSettings(args: readonly string[]): Settings | undefined {
  const options = parseOptions(args, { seed: TEXT, seconds: TEXT, clients: TEXT });
  const { help, seed = String(randomInt(2 ** 32)), seconds = '45', clients = '240' } = options;
  if (help === true) return undefined;
  return {
    seed: wholeNumber('--seed', seed, { from: 0, to: 2 ** 32 - 1 }),
    seconds: wholeNumber('--seconds', seconds, { from: 5, to: 600 }),
    clients: wholeNumber('--clients', clients, { from: 4, to: 1000 }),
  };
}
