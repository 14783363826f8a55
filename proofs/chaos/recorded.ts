import type { HistoryEvent, Seen } from '../lib/history.ts';
import { brief } from './brief.ts';
import { keyOfCall } from './terms.ts';

/** The members of a record as it is documented, whatever database has it. */
export interface Recorded {
  readonly status: Seen['status'];
  readonly owner: string;
  readonly attempt: number;
  /** Epoch seconds. */
  readonly expiration: number;
  readonly leaseUntil?: number | null;
  readonly outcome?: { readonly type: string | null; readonly json?: string | null } | undefined;
  readonly checkpoints?: Readonly<Record<string, unknown>> | undefined;
}

/** Read here from what is stored, and not by the code under test. */
export function seenOf(record: Recorded | undefined): Seen | undefined {
  if (record === undefined) return undefined;
  const { status, owner, attempt, expiration, leaseUntil, outcome, checkpoints } = record;
  const text = status === 'COMPLETED' ? textOf(outcome) : undefined;
  return {
    status,
    by: owner,
    attempt,
    expiresAt: expiration * 1000,
    ...(typeof leaseUntil === 'number' && { leaseUntil }),
    ...(text !== undefined && { text }),
    ...(checkpoints && { checkpoints: resultsOf(checkpoints) }),
  };
}

function resultsOf(checkpoints: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(checkpoints).map(([name, text]) => [name, JSON.parse(String(text)).result as string]),
  );
}

function textOf({ type, json }: NonNullable<Recorded['outcome']> = { type: null }): string | undefined {
  if (typeof json !== 'string') return undefined;
  return type === 'THREW' ? JSON.parse(json).error.message : brief(json);
}

/** A change of a record that its database has written down: epoch milliseconds, and what was there before and after it. */
export interface Change {
  readonly at: number;
  readonly before: Recorded | undefined;
  readonly after: Recorded | undefined;
  /** How many effects of the handler were committed with it. */
  readonly effects: number;
}

/** A database knows who wrote, and not whether the writer still waited for the answer. */
export function eventsOf(changes: readonly Change[]): HistoryEvent[] {
  return changes.flatMap(({ at, before, after, effects }): HistoryEvent[] => {
    const call = (after ?? before)?.owner ?? '';
    const key = keyOfCall(call);
    const effect = { type: 'effect', at, call, key } as const;
    return [
      { type: 'wrote', at, call, key, before: seenOf(before), after: seenOf(after), stray: false },
      ...Array<HistoryEvent>(effects).fill(effect),
    ];
  });
}
