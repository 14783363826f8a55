import { recordInvalid } from '../core/record/failures.ts';
import { notReplayable } from '../core/record/outcome.ts';
import type { Checkpoints, IdempotencyRecord, StoredOutcome } from '../core/record/record.ts';
import { isObject } from '../json.ts';

/** The members of a record, as JSON gives them: any of them may be anything. */
export type RecordMembers = Readonly<Record<string, unknown>>;

/** What was stored, as a record. @throws IdempotencyError `RECORD_INVALID` */
export function recordFrom(stored: RecordMembers): IdempotencyRecord {
  const { id, status, owner, attempt, expiration, fingerprint, leaseUntil } = stored;
  if (![id, owner].every(isText) || !isCount(attempt) || !Number.isSafeInteger(expiration)) throw invalid();
  const common = { id, status, owner, attempt, expiration, ...(isText(fingerprint) && { fingerprint }) };
  switch (status) {
    case 'IN_PROGRESS':
      if (typeof leaseUntil !== 'number') throw invalid();
      return { ...common, leaseUntil, ...checkpointsOf(stored) } as IdempotencyRecord;
    case 'RELEASED':
      return { ...common, ...checkpointsOf(stored) } as IdempotencyRecord;
    case 'COMPLETED': {
      const { outcome, revision, transaction } = stored;
      const written = { ...(isCount(revision) && { revision }), ...(isText(transaction) && { transaction }) };
      return { ...common, outcome: outcomeOf(outcome), ...written } as IdempotencyRecord;
    }
    default:
      throw invalid();
  }
}

/** The work is done, whatever became of its outcome. */
function outcomeOf(outcome: unknown): StoredOutcome {
  const { type, json, reason } = (isObject(outcome) ? outcome : {}) as Record<string, unknown>;
  if (type === 'RETURNED' && !isText(json)) return { type };
  if ((type === 'RETURNED' || type === 'THREW') && isText(json)) return { type, json };
  if (type === 'NOT_REPLAYABLE' && isText(reason)) return notReplayable(reason);
  return notReplayable('the outcome of the record cannot be read');
}

/** A step that is done must not run again because its result cannot be read. */
function checkpointsOf({ checkpoints }: RecordMembers): { readonly checkpoints?: Checkpoints } {
  if (checkpoints === undefined) return {};
  if (!isObject(checkpoints) || !Object.values(checkpoints).every(isText)) throw invalid();
  return { checkpoints: checkpoints as Checkpoints };
}

/** @throws IdempotencyError `RECORD_INVALID` */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(cause);
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0;

function invalid(cause?: unknown) {
  return recordInvalid('What was stored is', ': another program wrote it, or changed what was read.', cause);
}
