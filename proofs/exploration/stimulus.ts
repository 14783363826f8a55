import type { CompletedRecord, IdempotencyRecord } from '../../src/core/record/record.ts';
import type { Expected } from '../../src/core/record/store.ts';
import type { HistoryEvent } from '../lib/history.ts';

/** What a store is asked, as data. */
export type Asked =
  | { readonly verb: 'insert'; readonly record: IdempotencyRecord }
  | { readonly verb: 'replace'; readonly record: IdempotencyRecord; readonly expected: Expected }
  | {
      readonly verb: 'transact';
      readonly record: CompletedRecord;
      readonly expected: Expected | undefined;
      readonly items: readonly Item[];
    }
  | { readonly verb: 'remove'; readonly id: string; readonly expected: Expected }
  | { readonly verb: 'read'; readonly id: string };

/** A write of the caller's own. */
export interface Item {
  /** Whether its condition fails. */
  readonly isRefused: boolean;
}

/** The caller's error when the condition of an item fails. */
export const refusalOf = (id: string) => `refused items of ${id}`;

/** All that an execution can learn of the world: what it does is a function of these, and of when they come. */
export type Stimulus =
  | { readonly kind: 'call' }
  | { readonly kind: 'answer'; readonly request: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly request: number; readonly retryable: boolean }
  | { readonly kind: 'timer'; readonly timer: number }
  | { readonly kind: 'turn'; readonly turn: string };

/** One way in which the user's code can go on: a handler, its step, or a plan. */
export interface Turn {
  readonly who: string;
  readonly does: string;
}

export const nameOf = ({ who, does }: Turn) => `${who} ${does}`;

/** What the world sees of an execution after a stimulus. */
export interface View {
  /** What it has done at once. */
  readonly events: readonly HistoryEvent[];
  readonly requests: ReadonlyMap<number, Asked>;
  /** When they are due, true time. */
  readonly timers: ReadonlyMap<number, number>;
  readonly turns: readonly Turn[];
}

type Details<T> = T extends { readonly call: string } ? Omit<T, 'at' | 'call'> : never;
/** What happens to a call, without its name and the time. */
export type Happened = Details<HistoryEvent>;
