import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

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
    seconds: wholeNumber('--seconds', values.seconds, { from: 5, to: 600 }) ?? 45,
    clients: wholeNumber('--clients', values.clients, { from: 4, to: 1000 }) ?? 240,
  };
}

function parse(args: readonly string[]) {
  const options = {
    seed: { type: 'string' },
    seconds: { type: 'string' },
    clients: { type: 'string' },
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
