import type { History, HistoryEvent, Seen } from '../../../proofs/lib/history.ts';
import type { IdempotencyRecord } from '../../../src/core/record/record.ts';
import type { Setup } from './schedule.ts';
import { BEGINNING, SKEW_MILLIS } from './terms.ts';

type OfCall = Exclude<HistoryEvent, { type: 'deleted' | 'partLost' }>;
export type Told = OfCall extends infer One ? (One extends OfCall ? Omit<One, 'at' | 'call'> : never) : never;

/** Writes down what happened, in the form that the oracle of the simulation judges. */
export class Witness {
  readonly #events: HistoryEvent[] = [];
  /** How many events there were when an operator wrote to the table, whom the oracle does not know. */
  #end: number | undefined;

  tell(lane: number, time: number, event: Told): void {
    this.#events.push({ ...event, at: BEGINNING + time, call: String(lane) } as HistoryEvent);
  }

  deleted(key: string, time: number, before: Seen): void {
    this.#events.push({ type: 'deleted', at: BEGINNING + time, key, before });
  }

  endsHere(): void {
    this.#end ??= this.#events.length;
  }

  history({ expired, work }: Setup): History {
    return {
      terms: {
        clockSkewMillis: SKEW_MILLIS,
        onExpiredLease: expired,
        clocksAgree: true,
        punctual: true,
        storeSeen: true,
        patienceMillis: work === 'middy' ? Number.POSITIVE_INFINITY : 10_000,
      },
      events: this.#events.slice(0, this.#end),
    };
  }
}

/** A record as a witness writes it down. The owner's token begins with the number of its request. */
export function seenOf(record: IdempotencyRecord | undefined): Seen | undefined {
  if (record === undefined) return undefined;
  const { status, attempt, expiration } = record;
  const text = record.status === 'COMPLETED' ? textOf(record.outcome) : undefined;
  const checkpoints = record.status === 'COMPLETED' ? undefined : record.checkpoints;
  return {
    status,
    by: ownerOf(record),
    attempt,
    expiresAt: expiration * 1000,
    ...(record.status === 'IN_PROGRESS' && { leaseUntil: record.leaseUntil }),
    ...(text !== undefined && { text }),
    ...(checkpoints !== undefined && { checkpoints: resultsOf(checkpoints) }),
  };
}

/** The number of the request that wrote the record. */
export function ownerOf({ owner }: Pick<IdempotencyRecord, 'owner'>): string {
  return owner.slice(0, owner.indexOf('#'));
}

function textOf(outcome: Extract<IdempotencyRecord, { status: 'COMPLETED' }>['outcome']): string | undefined {
  if (outcome.type === 'RETURNED') return outcome.json;
  return outcome.type === 'THREW' ? (JSON.parse(outcome.json).error?.message as string) : undefined;
}

function resultsOf(checkpoints: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(checkpoints).map(([name, text]) => [name, String(JSON.parse(String(text)).result)]),
  );
}
