import { randomInt } from 'node:crypto';
import { parseOptions, part, TEXT, wholeNumber } from '../../tools/arguments.ts';

export interface Settings {
  readonly seed: number;
  readonly events: number;
  /** A part of one. */
  readonly duplicates: number;
}

export const USAGE = `Usage: npm run test:consumers -- [options]

Pays and refunds through the example API. Every event goes through the outbox, the stream of
DynamoDB Local, the publisher, a queue of an SQS-compatible server and the ledger's consumers.
Events are published twice, deletions are lost, the order is shuffled, processes are killed in the
middle of what they do, and some messages are poison. Then the ledger is compared with what the
API has answered. Needs Java 17 or later. Ctrl-C ends everything.

Options:
  --events <number>      How many payments and refunds together, 10 to 100000. Default 10000.
  --duplicates <number>  Which part of them is published twice, 0 to 1. Default 0.3.
  --seed <number>        Chooses what goes wrong; when it does is up to the machine.
                         Default: a random one, which is printed.
  -h, --help             Print this.`;

/** @returns undefined where help is asked for. @throws UsageError */
export function readSettings(args: readonly string[]): Settings | undefined {
  const options = parseOptions(args, { events: TEXT, duplicates: TEXT, seed: TEXT });
  const { help, seed = String(randomInt(2 ** 32)), events = '10000', duplicates = '0.3' } = options;
  if (help === true) return undefined;
  return {
    seed: wholeNumber('--seed', seed, { from: 0, to: 2 ** 32 - 1 }),
    events: wholeNumber('--events', events, { from: 10, to: 100_000 }),
    duplicates: part('--duplicates', duplicates),
  };
}
