import { IdempotencyError } from '../../errors.ts';
import { flatCopy, isObject, tagOf } from '../../json.ts';
import type { StoredOutcome } from './record.ts';

/** What an execution ended with. */
export type Outcome =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly error: unknown };

export const returned = (value: unknown): Outcome => ({ kind: 'returned', value });
export const threw = (error: unknown): Outcome => ({ kind: 'threw', error });

/** An outcome that is to be stored. */
export type EncodedOutcome = Exclude<StoredOutcome, { type: 'UNREADABLE' }>;

/** An outcome that was encoded, once. */
export interface Encoded {
  readonly stored: EncodedOutcome;
  /**
   * The outcome as the first caller gets it: equal to what a replay gives, in an object that no other code can change.
   * It stays the original where the outcome cannot be replayed, and where it is an error.
   */
  readonly outcome: Outcome;
}

/** How outcomes are stored, and how a replay looks. */
export interface ReplayFormat {
  encode(outcome: Outcome): Encoded;
  /** A fresh object every time. @throws IdempotencyError as {@link decodeOutcome} does */
  decode(stored: StoredOutcome): Outcome;
}

/** Characters. A shorter text is parsed in less time than its value is looked at. */
const LONG_TEXT = 10_000;

export const jsonFormat: ReplayFormat = {
  encode(outcome) {
    const stored = encodeOutcome(outcome);
    if (stored.type !== 'RETURNED' || outcome.kind !== 'returned') return { stored, outcome };
    const copy = Number(stored.json?.length) < LONG_TEXT ? undefined : copyOf(outcome.value);
    return { stored, outcome: copy === undefined ? decodeOutcome(stored) : returned(copy) };
  },
  decode: decodeOutcome,
};

function copyOf(value: unknown): unknown {
  try {
    return flatCopy(value);
  } catch {
    // A proxy lets JSON look at it, but not a copy.
    return undefined;
  }
}

/**
 * The outcome as it is stored: JSON text, the same text that Lambda sends. What cannot be written as JSON becomes
 * `NOT_REPLAYABLE`: the fact that the work is done is never lost with its response.
 */
export function encodeOutcome(outcome: Outcome): EncodedOutcome {
  const isReturned = outcome.kind === 'returned';
  let json: string | undefined;
  try {
    if (isReturned && outcome.value === undefined) return { type: 'RETURNED' };
    const value = isReturned ? outcome.value : describeThrown(outcome.error);
    if (isStreaming(value)) return notReplayable('it is a stream');
    json = JSON.stringify(value);
  } catch (error) {
    return notReplayable(reasonOf(error));
  }
  if (json === undefined) return notReplayable('it is a function or a symbol');
  return { type: isReturned ? 'RETURNED' : 'THREW', json };
}

export function sameStored(a: StoredOutcome | undefined, b: StoredOutcome): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export const NOT_JSON = 'it cannot be written as JSON';

/** The outcome, or `NOT_REPLAYABLE` if it has more bytes of UTF-8 than the store takes. */
export function withinLimit(stored: EncodedOutcome, maxBytes = Number.POSITIVE_INFINITY): EncodedOutcome {
  const { json = '' }: { readonly type: string; readonly json?: string } = stored;
  const bytes = Buffer.byteLength(json);
  return bytes > maxBytes ? notReplayable(`its ${bytes} bytes exceed the store's limit of ${maxBytes} bytes`) : stored;
}

/**
 * Makes the outcome anew from the stored text: a fresh object every time.
 *
 * @throws IdempotencyError `RESPONSE_NOT_REPLAYABLE`: the work is done, and its response is missing or damaged;
 *   `STORE_UNAVAILABLE`: the response cannot be read now
 */
export function decodeOutcome(stored: StoredOutcome): Outcome {
  switch (stored.type) {
    case 'RETURNED':
      return returned(stored.json === undefined ? undefined : parse(stored.json));
    case 'THREW':
      return threw(reviveThrown(parse(stored.json)));
    case 'NOT_REPLAYABLE':
      throw responseNotReplayable(stored.reason);
    case 'UNREADABLE':
      throw stored.error;
  }
}

/** A reason is for a person. It must never be so long that a store refuses it. */
const MAX_REASON_LENGTH = 500;

export function notReplayable(reason: string): Extract<StoredOutcome, { type: 'NOT_REPLAYABLE' }> {
  return { type: 'NOT_REPLAYABLE', reason: reason.slice(0, MAX_REASON_LENGTH) };
}

/** The user's own code may have thrown anything, even an error whose `message` throws. */
function reasonOf(error: unknown): string {
  try {
    if (error instanceof Error && typeof error.message === 'string') return error.message;
  } catch {
    // Its message cannot be read.
  }
  return NOT_JSON;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // The parser's message would quote the outcome.
    throw responseNotReplayable('the outcome of the record is not JSON');
  }
}

function responseNotReplayable(reason: string): IdempotencyError {
  return new IdempotencyError(
    'RESPONSE_NOT_REPLAYABLE',
    `${EXECUTED} given again. Do not send it again: look up its result.`,
    { advice: noReplayBecause(reason) },
  );
}

export const EXECUTED = 'This request has been executed, and its response cannot be';

export function noReplayBecause(reason: string): string {
  return `There is no response to replay because ${reason}.`;
}

/** A stream or a generator can be read once. Its JSON would be its internal state. */
export function isStreaming(value: unknown, isBody = false): boolean {
  if (!isObject(value)) return false;
  const { pipe, getReader, next, body } = value;
  const { [Symbol.asyncIterator]: asyncIterator, [Symbol.iterator]: iterator } = value as Iterators;
  const isGenerator = typeof next === 'function' && typeof iterator === 'function';
  const isStream = typeof pipe === 'function' || typeof getReader === 'function' || typeof asyncIterator === 'function';
  return isStream || isGenerator || (!isBody && isStreaming(body, true));
}

type Iterators = { readonly [Symbol.asyncIterator]?: unknown; readonly [Symbol.iterator]?: unknown };

interface StoredError {
  readonly error: {
    readonly name: string;
    readonly message: string;
    readonly statusCode?: number;
    readonly expose?: boolean;
    readonly code?: string | number;
  };
}

/**
 * An Error's name, message and the members that a caller may branch on. Its stack and cause are not stored. `undefined` for what
 * JSON leaves out.
 */
function describeThrown(thrown: unknown): unknown {
  if (['function', 'symbol'].includes(typeof thrown)) return undefined;
  const isError = thrown instanceof Error || tagOf(thrown) === '[object Error]';
  if (!isError) return { value: thrown };
  const { name, message } = thrown as Error;
  return {
    error: { name: String(name), message: String(message), ...branchable(thrown as Error) },
  } satisfies StoredError;
}

const BRANCHABLE = { statusCode: ['number'], expose: ['boolean'], code: ['string', 'number'] };

/** The members that a caller may branch on, and no others: a record may have been tampered with. */
function branchable(error: object): Partial<StoredError['error']> {
  const members = Object.entries(BRANCHABLE).map(([name, types]) => [name, (error as never)[name], types] as const);
  return Object.fromEntries(members.filter(([, value, types]) => types.includes(typeof value)));
}

function reviveThrown(stored: unknown): unknown {
  if (!isObject(stored)) return new Error('The stored error of this request cannot be read.');
  if (!isObject(stored['error'])) return stored['value'];
  const { name, message } = stored['error'];
  const error = new Error(typeof message === 'string' ? message : '');
  if (typeof name === 'string')
    Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  return Object.assign(error, branchable(stored['error']));
}
