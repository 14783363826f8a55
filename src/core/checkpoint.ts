import { IdempotencyError } from '../errors.ts';
import { encodeOutcome } from './outcome.ts';

/** The text that is stored of a step's result: what JSON can carry of it, or the fact that the step is done. */
export function encodeCheckpoint(result: unknown): string {
  const stored = encodeOutcome({ kind: 'returned', value: result });
  if (stored.type === 'NOT_REPLAYABLE') return notReplayableCheckpoint(stored.reason);
  return stored.json === undefined ? '{}' : `{"result":${stored.json}}`;
}

export function notReplayableCheckpoint(reason: string): string {
  return JSON.stringify({ notReplayable: reason });
}

/**
 * The step's result, a fresh object every time.
 *
 * @throws IdempotencyError `RESPONSE_NOT_REPLAYABLE` when the step is done and its result could not be stored,
 *   `RECORD_INVALID` when something else wrote the text
 */
export function decodeCheckpoint(name: string, text: string): unknown {
  const { result, notReplayable } = parse(name, text);
  if (notReplayable === undefined) return result;
  throw new IdempotencyError(
    'RESPONSE_NOT_REPLAYABLE',
    'A part of this request has been executed, and its result could not be stored. It is not executed again.',
    {
      advice:
        `The result of step '${name}' was not stored because ${notReplayable}. Let the step return what JSON can carry ` +
        'and the record can hold, such as an id.',
    },
  );
}

function parse(name: string, text: string): { readonly result?: unknown; readonly notReplayable?: unknown } {
  let cause: unknown;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    cause = error;
  }
  throw new IdempotencyError('RECORD_INVALID', 'What is stored of this request cannot be read. It is not executed.', {
    cause,
    advice: `The checkpoint '${name}' of the record is not what this version writes.`,
  });
}
