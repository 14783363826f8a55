import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** The command line is wrong: the usage helps. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const TEXT = { type: 'string' } as const;
export const TEXTS = { type: 'string', multiple: true } as const;
export const FLAG = { type: 'boolean' } as const;
const HELP = { help: { type: 'boolean', short: 'h' } } as const;

/** What was given of `options`, and whether help is asked for (`-h`, `--help`). @throws UsageError */
export function parseOptions<const Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...args], options: { ...options, ...HELP } }).values;
  } catch (cause) {
    const [firstSentence = ''] = (cause as Error).message.split('. ');
    throw new UsageError(firstSentence, { cause });
  }
}

/** @throws UsageError */
export function wholeNumber(name: string, text: string, { from, to }: { from: number; to: number }): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= from && value <= to) return value;
  throw new UsageError(`${name} must be a whole number from ${from} to ${to}, not '${text}'`);
}

/** A part of one. @throws UsageError */
export function part(name: string, text: string, most = 1): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value <= most) return value;
  throw new UsageError(`${name} must be a number from 0 to ${most}, not '${text}'`);
}
