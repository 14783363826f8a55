import type { IdempotencyRecord } from '../../core/record/record.ts';
import type { Expected, RecordStore, WriteResult } from '../../core/record/store.ts';
import { parsedJson, type RecordMembers, recordFrom } from '../json-record.ts';
import type { Connection } from './client.ts';
import { notReplicated, unavailable } from './failure.ts';
import { SCRIPTS, type Script } from './scripts.ts';

interface StoreContext {
  readonly connection: Connection;
  readonly keyPrefix: string;
  readonly waitForReplicas: { readonly replicas: number; readonly timeoutMillis: number } | undefined;
  /** Asked before every request. @throws IdempotencyError when the server may not hold records */
  readonly admit: () => Promise<void>;
}

/** Redis does one thing at a time: a larger value would stop all others for too long. Bytes. */
const MAX_OUTCOME_BYTES = 8 * 1024 * 1024;

export function recordStore({ connection, keyPrefix, waitForReplicas, admit }: StoreContext): RecordStore {
  return {
    maxOutcomeBytes: MAX_OUTCOME_BYTES,
    insert: (record) => write(SCRIPTS.insert, record.id, fieldsOf(record)),
    replace: (record, expected) => write(SCRIPTS.replace, record.id, [...conditionOf(expected), ...fieldsOf(record)]),
    remove: (id, expected) => write(SCRIPTS.remove, id, conditionOf(expected)),
    read: async (id) => recordOf((await run(SCRIPTS.read, id, [])).existing),
  };

  async function answered<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw unavailable(error, connection.resends);
    }
  }

  async function write(script: Script, id: string, args: readonly string[]): Promise<WriteResult> {
    const { done, existing } = await run(script, id, args);
    if (!done) return { done, existing: recordOf(existing) };
    if (waitForReplicas !== undefined && script !== SCRIPTS.remove) {
      const { replicas, timeoutMillis } = waitForReplicas;
      const acknowledged = await answered(() => connection.wait(replicas, timeoutMillis));
      if (acknowledged < replicas) throw notReplicated(acknowledged, replicas);
    }
    return { done };
  }

  async function run(script: Script, id: string, args: readonly string[]) {
    await admit();
    // The hash tag keeps all of a request on one node of a cluster.
    const answer = await answered(() => connection.run(script, `${keyPrefix}{${id}}`, args));
    const [done, existing] = answer as readonly [number, (string | null)?];
    return { done: Number(done) === 1, existing: existing ?? undefined };
  }
}

function fieldsOf(record: IdempotencyRecord): string[] {
  const { owner, status, expiration } = record;
  const { leaseUntil, revision } = record as { leaseUntil?: number; revision?: number } & IdempotencyRecord;
  const all = [owner, status, leaseUntil, revision, JSON.stringify(record), expiration * 1000];
  return all.map((value) => String(value ?? ''));
}

function conditionOf({ owner, status, leaseUntil, revision }: Expected): string[] {
  return [owner, status, leaseUntil, revision].map((value) => String(value ?? ''));
}

function recordOf(text: string | undefined): IdempotencyRecord | undefined {
  return text === undefined ? undefined : recordFrom(parsedJson(String(text)) as RecordMembers);
}
