import { randomInt } from 'node:crypto';
import { part, UsageError, wholeNumber } from './arguments.ts';

type Given = string | boolean | readonly string[] | undefined;

/** One option of a command line: how its value is read, and what the help says of it. */
export interface Option<Value> {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  /** What kind of value it takes, in the help. @default none */
  readonly takes?: string;
  readonly help: string;
  /** `given`: what the command line has. @throws UsageError */
  read(name: string, given: Given): Value;
}

export function flag(help: string): Option<boolean> {
  return { type: 'boolean', help, read: (_, given) => given === true };
}

interface Range {
  readonly from: number;
  readonly to?: number;
}

/** A whole number. `or`: where it is not given. */
export function whole(help: string, { from, to, or }: Range & { readonly or: number }): Option<number> {
  const range = to === undefined ? '' : `From ${number(from)} to ${number(to)}. `;
  return {
    ...{ type: 'string', takes: 'number' },
    help: `${help} ${range}Default ${number(or)}.`,
    read: (name, given = String(or)) => read(name, given, { from, to }),
  };
}

/** A whole number that may be left out. */
export function wholeIfGiven(help: string, range: Range): Option<number | undefined> {
  return {
    ...{ type: 'string', takes: 'number' },
    help,
    read: (name, given) => (given === undefined ? undefined : read(name, given, range)),
  };
}

/** What a seed decides. It is a random one where none is given, which the command prints. */
export function seed(help: string, { below = 2 ** 32 } = {}): Option<number> {
  return {
    ...{ type: 'string', takes: 'number' },
    help: `${help} Default: a random one, which is printed.`,
    read: (name, given = String(randomInt(below))) => read(name, given, { from: 0, to: below - 1 }),
  };
}

/** A part of one. */
export function share(help: string, { or }: { readonly or: number }): Option<number> {
  return {
    ...{ type: 'string', takes: 'number' },
    help: `${help} From 0 to 1. Default ${or}.`,
    read: (name, given = String(or)) => part(name, String(given)),
  };
}

/** Any text, the empty one where it is not given. */
export function text(help: string): Option<string> {
  return { type: 'string', takes: 'text', help, read: (_, given = '') => String(given) };
}

/** Any texts: it may be given again. */
export function texts(help: string): Option<readonly string[]> {
  return {
    ...{ type: 'string', multiple: true, takes: 'text' },
    help: `${help} May be given again.`,
    read: (_, given = []) => given as readonly string[],
  };
}

/** One of `names`, the first where it is not given. */
export function oneOf<const Name extends string>(help: string, names: readonly [Name, ...Name[]]): Option<Name> {
  return {
    ...{ type: 'string', takes: 'name' },
    help: `${help} One of ${names.join(', ')}. Default ${names[0]}.`,
    read: (name, given = names[0]) => named(name, given, names),
  };
}

/** Some of `names`, all where none is given. */
export function someOf<const Name extends string>(help: string, names: readonly Name[]): Option<readonly Name[]> {
  return {
    ...{ type: 'string', multiple: true, takes: 'name' },
    help: `${help} One of ${names.join(', ')}. May be given again. Default: all.`,
    read: (name, given) =>
      given === undefined ? names : (given as readonly string[]).map((one) => named(name, one, names)),
  };
}

function named<Name extends string>(option: string, given: Given, names: readonly Name[]): Name {
  const found = names.find((name) => name === given);
  if (found === undefined) throw new UsageError(`${option} must be one of ${names.join(', ')}, not '${given}'`);
  return found;
}

function read(
  name: string,
  given: Given,
  { from, to = Number.MAX_SAFE_INTEGER }: { from: number; to?: number | undefined },
): number {
  return wholeNumber(name, String(given), { from, to });
}

function number(value: number): string {
  return value.toLocaleString('en');
}
