import { IdempotencyError } from '../../errors.ts';
import { isObject, type Jsonified } from '../../json.ts';
import type { EventDetail } from '../events.ts';
import { recordInvalid, storeFailure, storeUnavailable, unfinished } from '../record/failures.ts';
import { encodeOutcome, returned } from '../record/outcome.ts';
import type { HeldRecord } from './held-record.ts';

const MAX_NAME_LENGTH = 255;

interface StepContext {
  readonly record: Pick<HeldRecord, 'kept' | 'checkpoint' | 'reserve' | 'unreserve'>;
  readonly tell: (detail: EventDetail) => void;
  /** @throws IdempotencyError when no effect may begin any more */
  readonly assertMayGoOn: () => void;
  /** Whether the outcome is stored already: then no later attempt needs a checkpoint. */
  readonly isCompleted: () => boolean;
  /** Another execution has the record. */
  readonly lost: () => IdempotencyError;
}

/** `step` of one execution. */
export type Step = <T>(name: string, fn: () => T) => Promise<Jsonified<Awaited<T>>>;

export function createStep({ record, tell, assertMayGoOn, isCompleted, lost }: StepContext): Step {
  /** The steps that have begun. */
  const used = new Set<string>();
  return step;

  async function step<T>(name: string, fn: () => T): Promise<Jsonified<Awaited<T>>> {
    requireStep(name, fn);
    assertMayGoOn();
    if (used.has(name)) {
      throw new TypeError(`step('${name}') has begun before: a name stands for one effect`);
    }
    used.add(name);
    const kept = record.kept(name);
    if (kept !== undefined) {
      tell({ type: 'stepSkipped', step: name });
      return decodeCheckpoint(name, kept) as Jsonified<Awaited<T>>;
    }
    if (!record.reserve(name)) throw recordFull(name);
    try {
      return decodeCheckpoint(name, await keep(name, encodeCheckpoint(await run(name, fn)))) as Jsonified<Awaited<T>>;
    } finally {
      record.unreserve(name);
    }
  }

  async function run(name: string, fn: () => unknown): Promise<unknown> {
    try {
      return await fn();
    } catch (error) {
      used.delete(name);
      throw error;
    }
  }

  /** The effect has happened: as much of it is kept as can be. */
  async function keep(name: string, text: string): Promise<string> {
    if (isCompleted()) return text;
    try {
      const written = await record.checkpoint(name, text);
      if (written === 'lost') throw lost();
      if (written === 'written') tell({ type: 'checkpointed', step: name });
      return text;
    } catch (error) {
      const failure = storeFailure(error);
      if (!failure.recordRefused || text === TOO_LARGE) throw failed(name, failure);
    }
    return keep(name, TOO_LARGE);
  }

  function failed(name: string, failure: IdempotencyError): IdempotencyError {
    const advice = `Step '${name}' is done, and its result could not be kept: a retry may do it again.`;
    const error = unfinished(failure, advice);
    if (error !== failure) tell({ type: 'checkpointFailed', step: name, error });
    return error;
  }
}

function recordFull(name: string): IdempotencyError {
  return unfinished(
    storeUnavailable({
      advice: `Step '${name}' was not run: the record is full. Let steps return less, such as ids.`,
      retryable: false,
      recordRefused: true,
    }),
  );
}

function requireStep(name: unknown, fn: unknown): void {
  // Stores keep names as members of a map, in UTF-8: `__proto__` is not always a member, and a lone surrogate is no text.
  const isMember = typeof name === 'string' && name !== '' && name !== '__proto__' && name.isWellFormed();
  if (isMember && name.length <= MAX_NAME_LENGTH && typeof fn === 'function') return;
  throw new TypeError(
    `step(name, fn): name must be a text of 1 to ${MAX_NAME_LENGTH} characters, and not '__proto__'; fn must be a function`,
  );
}

/** The text that is stored of a step's result: what JSON can carry of it, or the fact that the step is done. */
function encodeCheckpoint(result: unknown): string {
  const stored = encodeOutcome(returned(result));
  if (stored.type === 'NOT_REPLAYABLE') return notReplayableCheckpoint(stored.reason);
  return stored.json === undefined ? '{}' : `{"result":${stored.json}}`;
}

function notReplayableCheckpoint(reason: string): string {
  return JSON.stringify({ notReplayable: reason });
}

/** Still says that the step is done. */
const TOO_LARGE = notReplayableCheckpoint('the record cannot hold it');

/**
 * The step's result, a fresh object every time.
 *
 * @throws IdempotencyError `RESPONSE_NOT_REPLAYABLE` when the step is done and its result could not be stored,
 *   `RECORD_INVALID` when another program wrote the text
 */
function decodeCheckpoint(name: string, text: string): unknown {
  const { result, notReplayable } = parse(name, text);
  if (notReplayable === undefined) return result;
  throw new IdempotencyError(
    'RESPONSE_NOT_REPLAYABLE',
    'A part of this request has been executed, and its result could not be stored. It is not executed again.',
    {
      advice: `The result of step '${name}' was not stored because ${notReplayable}. Let the step return less, such as an id.`,
    },
  );
}

function parse(name: string, text: string): { readonly result?: unknown; readonly notReplayable?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // The parser's message would quote the result.
  }
  throw recordInvalid(`The checkpoint '${name}' of the record is`);
}
