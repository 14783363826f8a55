import type { IdempotencyRecord } from '../../src/core/record/record.ts';
import type { Expected } from '../../src/core/record/store.ts';
import type { HistoryEvent } from '../lib/history.ts';
import type { End } from './configuration.ts';

/** What a store is asked, as data. */
export type Asked =
  | { readonly verb: 'insert'; readonly record: IdempotencyRecord }
  | { readonly verb: 'replace'; readonly record: IdempotencyRecord; readonly expected: Expected }
  | { readonly verb: 'remove'; readonly id: string; readonly expected: Expected }
  | { readonly verb: 'read'; readonly id: string };

/** All that an execution can learn of the world: what it does is a function of these, and of when they come. */
export type Stimulus =
  | { readonly kind: 'call' }
  | { readonly kind: 'answer'; readonly request: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly request: number; readonly retryable: boolean }
  | { readonly kind: 'timer'; readonly timer: number }
  | { readonly kind: 'extend' }
  | { readonly kind: 'end'; readonly end: End };

/** What the world sees of an execution after a stimulus. */
export interface View {
  /** What it has done at once. */
  readonly events: readonly HistoryEvent[];
  readonly requests: ReadonlyMap<number, Asked>;
  /** When they are due, true time. */
  readonly timers: ReadonlyMap<number, number>;
  readonly isRunning: boolean;
  /** How many extensions its handler may still ask for. */
  readonly extensions: number;
}

type Details<T> = T extends { readonly call: string } ? Omit<T, 'at' | 'call'> : never;
/** What happens to a call, without its name and the time. */
export type Happened = Details<HistoryEvent>;
