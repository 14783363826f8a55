import type { Checkpoints, IdempotencyRecord, StoredOutcome } from '../../core/record/record.ts';
import type { Expected } from '../../core/record/store.ts';
import { parsedJson, type RecordMembers, recordFrom } from '../json-record.ts';

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
export function fromRow(row: RecordMembers): IdempotencyRecord {
  const { lease_until: leaseUntil, outcome_type: type, outcome: text, checkpoints, ...others } = row;
  const outcome = type === 'NOT_REPLAYABLE' ? { type, reason: text } : { type, json: text };
  const texts = typeof checkpoints === 'string' ? parsedJson(checkpoints) : undefined;
  return recordFrom({ ...others, leaseUntil, outcome, checkpoints: texts });
}
