import { IdempotencyError } from '../../errors.ts';
import type { StoredOutcome } from './record.ts';

/** What an execution ended with. */
export type Outcome =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly error: unknown };

/** An outcome that is to be stored. */
export type EncodedOutcome = Exclude<StoredOutcome, { type: 'UNREADABLE' }>;

/**
 * The outcome as it is stored: JSON text, the same text that Lambda sends. What cannot be written as JSON, or exceeds
 * `maxBytes`, becomes `NOT_REPLAYABLE`, so that the fact that the work is done is never lost with its response.
 */
export function encodeOutcome(outcome: Outcome, maxBytes = Number.POSITIVE_INFINITY): EncodedOutcome {
  const encoded = encodings.get(outcome) ?? encode(outcome);
  if (encoded.type === 'NOT_REPLAYABLE' || encoded.json === undefined) return encoded;
  const bytes = Buffer.byteLength(encoded.json);
  return bytes > maxBytes ? notReplayable(`its ${bytes} bytes exceed the store's limit of ${maxBytes} bytes`) : encoded;
}

const encodings = new WeakMap<Outcome, EncodedOutcome>();

/**
 * The outcome as every retry will see it, in an object that nobody else has: whatever becomes of the original, this is what is
 * stored. It is encoded no second time. What cannot be replayed stays as it is.
 */
export function snapshotOf(outcome: Outcome): Outcome {
  const encoded = encode(outcome);
  const snapshot = encoded.type === 'NOT_REPLAYABLE' ? outcome : decodeOutcome(encoded);
  encodings.set(snapshot, encoded);
  return snapshot;
}

function encode(outcome: Outcome): EncodedOutcome {
  let json: string | undefined;
  try {
    if (outcome.kind === 'returned' && outcome.value === undefined) return { type: 'RETURNED' };
    if (outcome.kind === 'threw' && ['function', 'symbol'].includes(typeof outcome.error)) {
      return notReplayable('it is a function or a symbol');
    }
    const value = outcome.kind === 'returned' ? outcome.value : describeThrown(outcome.error);
    if (isStreaming(value)) return notReplayable('it is a stream');
    json = JSON.stringify(value);
  } catch (error) {
    return notReplayable(reasonOf(error));
  }
  if (json === undefined) return notReplayable('it is a function or a symbol');
  return outcome.kind === 'returned' ? { type: 'RETURNED', json } : { type: 'THREW', json };
}

/**
 * Makes the outcome anew from the stored text: a fresh object every time.
 *
 * @throws IdempotencyError `RESPONSE_NOT_REPLAYABLE`: the work is done, and its response is not there, or damaged;
 *   `STORE_UNAVAILABLE`: it cannot be read now
 */
export function decodeOutcome(stored: StoredOutcome): Outcome {
  switch (stored.type) {
    case 'RETURNED':
      return { kind: 'returned', value: stored.json === undefined ? undefined : parse(stored.json) };
    case 'THREW':
      return { kind: 'threw', error: reviveThrown(parse(stored.json)) };
    case 'NOT_REPLAYABLE':
      throw responseNotReplayable(stored.reason);
    case 'UNREADABLE':
      throw stored.error;
  }
}

/** A reason is for a person, and must itself never be what a store refuses. */
const MAX_REASON_LENGTH = 500;

export function notReplayable(reason: string): Extract<StoredOutcome, { type: 'NOT_REPLAYABLE' }> {
  return { type: 'NOT_REPLAYABLE', reason: reason.slice(0, MAX_REASON_LENGTH) };
}

/** What the user's own code threw may be anything: the work is done whatever its `message` is, or does. */
function reasonOf(error: unknown): string {
  try {
    if (error instanceof Error && typeof error.message === 'string') return error.message;
  } catch {
    // It says nothing.
  }
  return 'it cannot be written as JSON';
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw responseNotReplayable('the outcome of the record is not JSON', cause);
  }
}

function responseNotReplayable(reason: string, cause?: unknown): IdempotencyError {
  return new IdempotencyError(
    'RESPONSE_NOT_REPLAYABLE',
    'This request has been executed, and its response cannot be given again. Do not send it again: look up its result.',
    { advice: `There is no response to replay because ${reason}.`, ...(cause !== undefined && { cause }) },
  );
}

/** What a stream or a generator gives passes once; its JSON would be its internal state. */
export function isStreaming(value: unknown): boolean {
  return isStream(value) || (isObject(value) && isStream(value['body']));
}

function isStream(value: unknown): boolean {
  if (!isObject(value)) return false;
  const has = (name: string | symbol) => typeof (value as Record<string | symbol, unknown>)[name] === 'function';
  return has('pipe') || has('getReader') || has(Symbol.asyncIterator) || (has('next') && has(Symbol.iterator));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

interface StoredError {
  readonly error: {
    readonly name: string;
    readonly message: string;
    readonly statusCode?: number;
    readonly expose?: boolean;
    readonly code?: string | number;
  };
}

/** Of an Error: its name, its message and what a caller may branch on. Its stack, cause and other members stay where it was thrown. */
function describeThrown(thrown: unknown): unknown {
  if (!isError(thrown)) return { value: thrown };
  const { name, message } = thrown;
  return { error: { name: String(name), message: String(message), ...branchable(thrown) } } satisfies StoredError;
}

/** Also one of another realm, as tests in a VM have it. */
function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]';
}

/** What a caller may branch on, and nothing else: neither of an error nor of a record that was tampered with. */
function branchable({ statusCode, expose, code }: object & Partial<Record<keyof StoredError['error'], unknown>>) {
  return {
    ...(typeof statusCode === 'number' && { statusCode }),
    ...(typeof expose === 'boolean' && { expose }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
  };
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
