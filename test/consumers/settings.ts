import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

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

/** The command line is wrong: the usage helps. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @returns undefined where help is asked for. @throws UsageError */
export function readSettings(args: readonly string[]): Settings | undefined {
  const values = parse(args);
  if (values.help === true) return undefined;
  return {
    seed: wholeNumber('--seed', values.seed, { from: 0, to: 2 ** 32 - 1 }) ?? randomInt(2 ** 32),
    events: wholeNumber('--events', values.events, { from: 10, to: 100_000 }) ?? 10_000,
    duplicates: part('--duplicates', values.duplicates) ?? 0.3,
  };
}

function parse(args: readonly string[]) {
  const options = {
    events: { type: 'string' },
    duplicates: { type: 'string' },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (cause) {
    const [firstSentence = ''] = (cause as Error).message.split('. ');
    throw new UsageError(firstSentence, { cause });
  }
}

function wholeNumber(name: string, text: string | undefined, { from, to }: { from: number; to: number }) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < from || value > to) {
    throw new UsageError(`${name} must be a whole number from ${from} to ${to}, not '${text}'`);
  }
  return value;
}

function part(name: string, text: string | undefined) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || value > 1) {
    throw new UsageError(`${name} must be a number from 0 to 1, not '${text}'`);
  }
  return value;
}
