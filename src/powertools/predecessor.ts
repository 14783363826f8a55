import { expirationAt } from '../core/budget.ts';
import { type Decision, decide } from '../core/claim/decide.ts';
import type { ResolvedProtocolOptions } from '../core/options.ts';
import { revised, storeFailure } from '../core/record/failures.ts';
import { type EncodedOutcome, type ReplayFormat, withinLimit } from '../core/record/outcome.ts';
import { type IdempotencyRecord, type Identity, type InProgressRecord, isCompleted } from '../core/record/record.ts';
import type { Expected, RecordStore, WriteResult } from '../core/record/store.ts';
import type { Runtime } from '../core/runtime.ts';
import { asRecord } from './item.ts';
import type { LegacyIdentity } from './legacy-id.ts';
import type { ResolvedPowertools } from './options.ts';
import type { LegacyTable } from './table.ts';

/** One request, on the guard's side and on the old code's. */
export interface Migration {
  readonly options: ResolvedProtocolOptions;
  readonly runtime: Runtime;
  readonly identity: Identity;
  readonly format: ReplayFormat;
  readonly legacy: LegacyIdentity;
  readonly table: LegacyTable;
  readonly powertools: ResolvedPowertools;
}

/** What the old code has done, or is doing: a record, and what it means for this request. */
interface Known {
  readonly record: IdempotencyRecord;
  readonly kind: Exclude<Decision['kind'], 'won' | 'takeover'>;
}

/** What the old code has of one request. */
export interface Predecessor {
  /**
   * @returns `undefined` where the old code leaves the request to this one
   * @throws IdempotencyError `STORE_UNAVAILABLE`, `RECORD_INVALID`. The claim is to be taken back
   */
  look(claim: InProgressRecord): Promise<Known | undefined>;
  /**
   * Writes what the old code has in place of the claim, where that is to stay: an outcome, or one that is unknown. `expected`:
   * what is in the store now, `undefined` for nothing. Answers the record that the request meets.
   */
  accept(known: Known, claim: InProgressRecord, expected: Expected | undefined): Promise<WriteResult>;
  /** For a duplicate that waits: our record, or an execution of the old code. */
  read(): Promise<IdempotencyRecord | undefined>;
}

export function predecessorOf(migration: Migration): Predecessor {
  const { options, runtime, identity, format, legacy, table, powertools } = migration;
  const { store, clockSkewMillis } = options;
  const { id, fingerprint } = identity;
  const reading = {
    recordId: id,
    fingerprint,
    legacy,
    clockSkewMillis,
    names: powertools.names,
    format,
  };
  return { look, accept, read };

  async function look(claim: InProgressRecord): Promise<Known | undefined> {
    try {
      return await known(claim);
    } catch (error) {
      // The claim may be written: only a failure that may pass makes the guard take it back.
      throw revised(storeFailure(error), { retryable: undefined });
    }
  }

  async function known(claim: Pick<InProgressRecord, 'owner' | 'fingerprint' | 'leaseUntil' | 'checkpoints'>) {
    // The answer may come late. An execution that was live at the read may have ended since, with its outcome.
    const askedAt = runtime.now();
    const item = await table.get(legacy.id);
    const record = item && asRecord(item, reading);
    if (!record || settledName(record) in (claim.checkpoints ?? {})) return undefined;
    const { kind } = decide(record, claim, options, askedAt);
    return kind === 'takeover' || kind === 'won' ? undefined : { record, kind };
  }

  async function accept(
    { record, kind }: Known,
    claim: InProgressRecord,
    expected: Expected | undefined,
  ): Promise<WriteResult> {
    if (kind !== 'replay' && kind !== 'outcomeUnknown') return { done: false, existing: record };
    const { owner, attempt } = claim;
    const accepted = isCompleted(record)
      ? { ...record, owner, attempt, outcome: withinLimit(record.outcome as EncodedOutcome, store.maxOutcomeBytes) }
      : unsettled(record as InProgressRecord, claim);
    const answer = await (expected ? store.replace(accepted, expected) : store.insert(accepted));
    return answer.done ? { done: false, existing: accepted } : answer;
  }

  /** The lease of the old execution ended: as a record of ours, an operator can resolve it. Then the item no longer counts. */
  function unsettled(record: InProgressRecord, claim: InProgressRecord): IdempotencyRecord {
    const checkpoints = { ...claim.checkpoints, [settledName(record)]: '{}' };
    const expiration = expirationAt(runtime.now(), options, record.leaseUntil);
    return { ...claim, owner: runtime.randomToken(), leaseUntil: record.leaseUntil, expiration, checkpoints };
  }

  async function read(): Promise<IdempotencyRecord | undefined> {
    const own = await store.read(id);
    const nobody = { owner: '', fingerprint, leaseUntil: runtime.now() };
    if (own && decide(own, nobody, options, runtime.now()).kind !== 'takeover') return own;
    const theirs = await known(nobody);
    return theirs?.kind === 'inFlight' ? theirs.record : own;
  }
}

/** The checkpoint that says of an old execution that our record has it. */
function settledName(record: IdempotencyRecord): string {
  return record.status === 'IN_PROGRESS' ? `powertools ${record.leaseUntil}` : '';
}

/** The verbs of a store, as functions. */
export function verbsOf(store: RecordStore): RecordStore {
  const { maxOutcomeBytes, transact } = store;
  return {
    insert: (record) => store.insert(record),
    replace: (record, expected) => store.replace(record, expected),
    remove: (id, expected) => store.remove(id, expected),
    read: (id) => store.read(id),
    ...(transact && { transact: (...given: Parameters<typeof transact>) => transact.apply(store, given) }),
    ...(maxOutcomeBytes !== undefined && { maxOutcomeBytes }),
  };
}

/** Whether the write begins an execution. Every other write of an owner expects its own record. */
export function isClaim(record: IdempotencyRecord, expected?: Expected): record is InProgressRecord {
  return record.status === 'IN_PROGRESS' && expected?.owner !== record.owner;
}
