import type { IdempotencyRecord } from '../../src/core/record/record.ts';
import type { Configuration } from './configuration.ts';
import type { State } from './state.ts';

/**
 * The times to which it may go on from here: those at which something that an execution, or the table, can see of a
 * record changes (a lease ends for its owner, for the others, a retention is over), on every clock, and timers that are
 * due. Between two of them nobody can tell the difference.
 */
export function instants(state: State, configuration: Configuration, due: number): number[] {
  const { time, record, calls, copies } = state;
  const found = new Set<number>();
  const clocks = new Set(calls.flatMap(({ local }) => (local === undefined || local.isOver ? [] : [local.who.offset])));
  if (record !== undefined) thresholds(record.value, configuration, clocks, found);
  for (const { asked, call } of copies) {
    const { local } = calls[call] ?? {};
    if (local === undefined || !('record' in asked.value)) continue;
    thresholds(asked.value.record, configuration, new Set([local.who.offset]), found);
  }
  if (record !== undefined && configuration.deletions) found.add(record.value.expiration * 1000);
  const mayPause = state.pauses > 0;
  const times = [...found].filter((at) => at > time && (at <= due || mayPause));
  if (due !== Number.POSITIVE_INFINITY && due > time && !times.includes(due)) times.push(due);
  return times.sort((a, b) => a - b);
}

function thresholds(
  record: IdempotencyRecord,
  { clockSkewMillis }: Configuration,
  clocks: ReadonlySet<number>,
  found: Set<number>,
): void {
  for (const offset of clocks) {
    if (record.status === 'IN_PROGRESS') {
      found.add(record.leaseUntil - offset);
      found.add(record.leaseUntil + clockSkewMillis - offset);
    }
    found.add(record.expiration * 1000 - offset);
  }
}
