import type { IdempotencyRecord } from '../../src/core/record/record.ts';
import type { HistoryEvent } from '../lib/history.ts';
import type { Local, Written } from './automaton.ts';
import type { Chain, Entry } from './interned.ts';
import type { Asked } from './stimulus.ts';

/** One execution in a state of the world. */
export interface Call {
  readonly id: string;
  /** `undefined` once it has crashed. */
  readonly local: Local | undefined;
  readonly isTransaction: boolean;
  readonly hasCome: boolean;
  readonly hasEnded: boolean;
  readonly isForgotten: boolean;
  /** All that happened to it, as the oracle will see it. */
  readonly events: Chain<HistoryEvent>;
  /** Its requests that have no answer yet: how often each was sent, and whether its patience has ended. */
  readonly open: readonly Open[];
}

interface Open {
  readonly request: number;
  readonly sent: number;
  readonly isLate: boolean;
}

/** One of the times that a request was sent: on its way to the table, or its answer on the way back. */
export interface Copy {
  readonly call: number;
  readonly request: number;
  readonly number: number;
  readonly asked: Entry<Asked>;
  readonly answer?: Entry<{ readonly value: unknown }>;
}

/** What there is at one moment, its history included. Nothing in it is ever changed. */
export interface State {
  readonly time: number;
  readonly record: Entry<IdempotencyRecord> | undefined;
  readonly calls: readonly Call[];
  readonly copies: readonly Copy[];
  /** In which order calls wrote to the table, and what its TTL deleted. */
  readonly writes: Chain<Written>;
  /** In which order calls began to execute. */
  readonly starts: Chain<number>;
  /** What is left of the budgets. */
  readonly faults: number;
  readonly pauses: number;
  readonly waits: number;
}

export function callAt({ calls }: State, index: number): Call {
  const call = calls[index];
  if (call === undefined) throw new Error(`exploration: there is no call ${index}`);
  return call;
}

/** The state as numbers: two states with the same numbers have the same future, and what the oracle sees is the same. */
export function numbersOf(state: State): number[] {
  const { time, record, calls, copies, writes, starts, faults, pauses, waits } = state;
  const numbers = [time, record?.number ?? 0, writes.number, starts.number, faults, pauses, waits];
  for (const { local, hasCome, events, open } of calls) {
    // What is over, or has crashed, does nothing any more: what it did stands in its events.
    const doesNothing = local === undefined ? -1 : local.isOver ? -2 : local.number;
    numbers.push(doesNothing, hasCome ? 1 : 0, events.number, open.length);
    for (const { request, sent, isLate } of open) numbers.push(request, sent, isLate ? 1 : 0);
  }
  const inOrder = copies.toSorted((a, b) => a.call - b.call || a.request - b.request || a.number - b.number);
  for (const { call, request, number, asked, answer } of inOrder) {
    numbers.push(call, request, number, asked.number, answer?.number ?? 0);
  }
  return numbers;
}

/** The history in the one order that is made of the state alone: by time, and where that is the same, by calls. */
export function eventsOf({ calls, writes, starts }: State): HistoryEvent[] {
  const lists = calls.map(({ events }) => events.items());
  const [written, started] = [writes.items(), starts.items()];
  const events: HistoryEvent[] = [];
  const isNext = ({ type }: HistoryEvent, call: number) =>
    type === 'wrote' ? written[0] === call : type !== 'started' || started[0] === call;
  for (;;) {
    let first: number | undefined;
    let at = Number.POSITIVE_INFINITY;
    for (const [call, [event]] of lists.entries()) {
      if (event === undefined || event.at >= at || !isNext(event, call)) continue;
      first = call;
      at = event.at;
    }
    const [deleted] = written;
    if (typeof deleted === 'object' && deleted.at < at) events.push(deleted);
    const list = typeof deleted === 'object' && deleted.at < at ? undefined : lists[first ?? -1];
    const event = list?.shift();
    if (event !== undefined) events.push(event);
    else if (typeof deleted !== 'object' || deleted.at >= at) return events;
    if (event === undefined || event.type === 'wrote') written.shift();
    else if (event.type === 'started') started.shift();
    // What the caller has written with the record took effect with it.
    if (list?.[0]?.type === 'effect') events.push(...list.splice(0, 1));
  }
}

/** What no promise depends on is left out of a history, so that those which differ in nothing else are one. */
export function matters(
  { isTransaction, hasEnded }: Pick<Call, 'isTransaction' | 'hasEnded'>,
  event: HistoryEvent,
): boolean {
  switch (event.type) {
    case 'reported':
      return ['leaseLost', 'completionFailed', ...(isTransaction ? ['replayed'] : [])].includes(event.report);
    // They are excuses of somebody who has to store an outcome.
    case 'conflicted':
      return hasEnded || isTransaction;
    case 'failed':
      return hasEnded;
    case 'looked':
      return isTransaction;
    default:
      return true;
  }
}
