import { RETRY_LATER, storeUnavailable } from '../../core/record/failures.ts';
import { EXECUTED, noReplayBecause } from '../../core/record/outcome.ts';
import { type IdempotencyError, wrongOption } from '../../errors.ts';
import { sdkError } from './failure.ts';

/**
 * What encoded bytes belong to. Bind them to it (associated data): they then cannot be passed off
 * as another record's.
 */
export interface CodecContext {
  /** The record id. */
  readonly id: string;
  /**
   * What of the record: `'returned'` or `'threw'` for its outcome, `'step <name>'` for a
   * checkpoint.
   */
  readonly label: string;
}

/**
 * The user's own encoding of outcomes: encryption, say. It comes after compression and before an outcome is cut into
 * parts. A codec that throws, or answers something else than a `Uint8Array`, never leads to an
 * execution. It never leads to plain text in the table either:
 *
 * - `encode` is tried again a few times when the error may pass by itself. Then the record says
 *   that the work is done, and a retry gets `RESPONSE_NOT_REPLAYABLE`.
 * - `decode` gives the retry `STORE_UNAVAILABLE` (503) when the error may pass by itself, else `RESPONSE_NOT_REPLAYABLE`.
 *
 * An error may pass by itself when it has `retryable: true`. So may what an AWS SDK throws for
 * throttling, a 5xx, or a request that got no answer.
 */
export interface OutcomeCodec {
  /**
   * Written into `encoding`, so that no other codec is given these bytes: letters, digits, `.`, `_` and `-`. A codec
   * whose keys change keeps its name, and says in its bytes which key it has used.
   */
  readonly name: string;
  encode(bytes: Uint8Array, context: CodecContext): Uint8Array | Promise<Uint8Array>;
  decode(bytes: Uint8Array, context: CodecContext): Uint8Array | Promise<Uint8Array>;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const RESERVED = ['gzip', 'json', 'zstd'];

/** @throws TypeError that names what is wrong */
export function requireCodec(codec: OutcomeCodec): OutcomeCodec {
  const { name, encode, decode } = codec ?? {};
  if (typeof encode !== 'function' || typeof decode !== 'function') {
    throw wrongOption('codec', '{ name, encode, decode }', codec);
  }
  if (typeof name !== 'string' || !NAME.test(name) || RESERVED.includes(name)) {
    throw wrongOption(
      'codec.name',
      `up to 64 letters, digits, '.', '_' or '-', other than ${RESERVED.join(', ')}`,
      name,
    );
  }
  return codec;
}

/** @throws IdempotencyError `STORE_UNAVAILABLE` with `recordRefused`: these bytes must not be written as they are */
export async function encoded(codec: OutcomeCodec, bytes: Uint8Array, context: CodecContext): Promise<Uint8Array> {
  try {
    return bytesOf(await codec.encode(bytes, context));
  } catch (cause) {
    throw outcomeRefused(`The codec '${codec.name}' could not encode it.`, isTransient(cause), cause);
  }
}

/**
 * @throws IdempotencyError `STORE_UNAVAILABLE` when it may be possible later
 * @throws Error when it never will
 */
export async function decoded(codec: OutcomeCodec, bytes: Uint8Array, context: CodecContext): Promise<Uint8Array> {
  try {
    return bytesOf(await codec.decode(bytes, context));
  } catch (cause) {
    const what = `the codec '${codec.name}' could not decode it`;
    if (!isTransient(cause)) throw new Error(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`);
    throw unreadable(noReplayBecause(what), cause);
  }
}

function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError('it did not answer with a Uint8Array');
  return value;
}

const THROTTLED = /Throttl|TooManyRequests|LimitExceeded|SlowDown|^TimeoutError$/;
/** Of the operating system, such as ECONNRESET; not Node's own, such as ERR_INVALID_ARG_TYPE. */
const SYSTEM_ERROR = /^E(?!RR_)[A-Z_]+$/;

/** As AWS SDKs mark and name their errors ("Error handling", "Retry behavior" in the SDKs' reference guide). */
function isTransient(error: unknown): boolean {
  const { retryable, code } = (error ?? {}) as { retryable?: unknown; code?: unknown };
  const { name, status, isRetryable } = sdkError(error);
  return (
    retryable === true ||
    isRetryable ||
    status >= 500 ||
    status === 429 ||
    THROTTLED.test(String(name)) ||
    SYSTEM_ERROR.test(String(code))
  );
}

/** A later version may have written it: once that version is deployed here, the outcome can be read. */
export function unknownEncoding(encoding: string): IdempotencyError {
  return unreadable(
    `This version, or its \`codec\`, does not know the encoding '${encoding}'. Deploy the version that wrote it.`,
  );
}

/** The outcome must not be written as it is. */
export function outcomeRefused(advice: string, retryable: boolean, cause?: unknown): IdempotencyError {
  const details = { advice, retryable, cause, recordRefused: true };
  return storeUnavailable(details, 'The outcome of this request could not be stored.');
}

/** The work is done, and its outcome cannot be read now. */
function unreadable(advice: string, cause?: unknown): IdempotencyError {
  return storeUnavailable({ cause, advice, retryable: true }, `${EXECUTED} read now. ${RETRY_LATER}`);
}
