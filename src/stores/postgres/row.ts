import { recordInvalid } from '../../core/record/failures.ts';
import { notReplayable } from '../../core/record/outcome.ts';
import type { Checkpoints, IdempotencyRecord, StoredOutcome } from '../../core/record/record.ts';
import type { Expected } from '../../core/record/store.ts';
import { isObject } from '../../json.ts';

/** The columns, in the order of their parameters, with their types. */
export const COLUMNS = {
  id: 'text',
  status: 'text',
  owner: 'text',
  attempt: 'integer',
  lease_until: 'double precision',
  expiration: 'bigint',
  fingerprint: 'text',
  outcome_type: 'text',
  outcome: 'text',
  checkpoints: 'text',
  revision: 'integer',
  transaction: 'text',
} as const;

/** What drivers send as it is: a number would depend on how the user's driver writes numbers. */
export type Parameter = string | null;

type Lasting = {
  readonly leaseUntil?: number;
  readonly checkpoints?: Checkpoints | undefined;
  readonly outcome?: StoredOutcome;
  readonly revision?: number | undefined;
  readonly transaction?: string | undefined;
};

/** The record as the parameters of `COLUMNS`. Checkpoints are texts: only a store makes functions of them. */
export function toRow(record: IdempotencyRecord): Parameter[] {
  const { leaseUntil, checkpoints, outcome, revision, transaction }: Lasting = record;
  const { id, status, owner, attempt, expiration, fingerprint } = record;
  const all = [id, status, owner, attempt, leaseUntil, expiration, fingerprint, outcome?.type, textOf(outcome)];
  return [...all, checkpoints && JSON.stringify(checkpoints), revision, transaction].map(parameter);
}

export function conditionsOf({ owner, status, leaseUntil, revision }: Expected): Parameter[] {
  return [owner, status, leaseUntil, revision].map(parameter);
}

const parameter = (value: unknown): Parameter => (value === undefined ? null : String(value));

/** A reason may have any characters, and PostgreSQL takes no zero byte. */
function textOf(outcome: StoredOutcome | undefined): string | undefined {
  if (outcome === undefined || outcome.type === 'UNREADABLE') return undefined;
  return outcome.type === 'NOT_REPLAYABLE' ? outcome.reason.replaceAll('\0', '\ufffd') : outcome.json;
}

/** A row as PostgreSQL has written it as JSON. @throws IdempotencyError `RECORD_INVALID` */
export function fromRow(row: Readonly<Record<keyof typeof COLUMNS, unknown>>): IdempotencyRecord {
  const { id, status, owner, attempt, expiration, lease_until: leaseUntil } = row;
  const [fingerprint, transaction] = [row.fingerprint ?? undefined, row.transaction ?? undefined];
  if (![id, owner].every(isText) || !isCount(attempt) || !Number.isSafeInteger(expiration)) throw invalid();
  const common = { id, owner, attempt, expiration, ...(fingerprint !== undefined && { fingerprint }) };
  switch (status) {
    case 'IN_PROGRESS':
      if (typeof leaseUntil !== 'number') throw invalid();
      return { ...common, status, leaseUntil, ...checkpointsOf(row.checkpoints) } as IdempotencyRecord;
    case 'RELEASED':
      return { ...common, status, ...checkpointsOf(row.checkpoints) } as IdempotencyRecord;
    case 'COMPLETED': {
      const revision = row.revision ?? undefined;
      const written = {
        ...(revision !== undefined && { revision }),
        ...(transaction !== undefined && { transaction }),
      };
      return { ...common, status, outcome: outcomeOf(row.outcome_type, row.outcome), ...written } as IdempotencyRecord;
    }
    default:
      throw invalid();
  }
}

function outcomeOf(type: unknown, text: unknown): StoredOutcome {
  if (type === 'RETURNED') return isText(text) ? { type, json: text } : { type };
  if (type === 'THREW' && isText(text)) return { type, json: text };
  if (type === 'NOT_REPLAYABLE') return notReplayable(isText(text) ? text : 'the reason was not stored');
  // The work is done, whatever became of its outcome.
  return notReplayable('the outcome of the record cannot be read');
}

function checkpointsOf(text: unknown): { readonly checkpoints?: Checkpoints } {
  if (text === null) return {};
  let checkpoints: unknown;
  try {
    checkpoints = JSON.parse(String(text));
  } catch (cause) {
    throw invalid(cause);
  }
  // A step that is done must not run again because its result cannot be read.
  if (!isObject(checkpoints) || !Object.values(checkpoints).every(isText)) throw invalid();
  return { checkpoints: checkpoints as Checkpoints };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0;

function invalid(cause?: unknown) {
  return recordInvalid('Another program has written to the table of the records.', cause);
}
