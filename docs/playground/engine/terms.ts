import type { IdempotencyRecord } from '../../../src/core/record/record.ts';
import type { RowId } from './decisions.ts';
import type { Action } from './schedule.ts';

/** When a run begins, epoch milliseconds. */
export const BEGINNING = 2_000_000_000_000;
export const LEASE_MILLIS = 30_000;
export const SKEW_MILLIS = 1000;
export const RETENTION_SECONDS = 86_400;
export const WAIT_MILLIS = 60_000;
/** The customer's money before the first payment, euros. */
export const BALANCE = 200;
export const AMOUNT = 50;
export const OTHER_AMOUNT = 80;
/** How often the SDK sends a request to the table, all in all. */
export const SDK_TRIES = 3;

/** Where a message is. `leaving` and `answered` only with small steps. */
export type Stage = 'leaving' | 'sent' | 'applied' | 'answered';

export type Station = 'function' | 'table' | 'bank' | 'client';

/** A message as the reader sees it. */
export interface MessageView {
  readonly name: string;
  readonly to: Station;
  readonly stage: Stage;
  /** What it says: its request, or the answer to it. */
  readonly text: string;
  /** Whether its sender no longer waits for it. */
  readonly isStray: boolean;
}

/** What a client got. */
export interface AnswerView {
  readonly kind: 'returned' | 'refused' | 'threw';
  /** `201 Created`, `409 IN_FLIGHT`, … */
  readonly title: string;
  readonly text: string;
}

export type ClientState = 'idle' | 'waiting' | 'answered' | 'without an answer';
export type ProcessState = 'none' | 'running' | 'ended' | 'dead';

export interface LaneView {
  readonly lane: number;
  /** What it asks for: `pay €50 for order-17`. */
  readonly asks: string;
  readonly client: ClientState;
  readonly answer: AnswerView | undefined;
  readonly process: ProcessState;
  /** Whether the guarded code is running. */
  readonly isExecuting: boolean;
  readonly attempt: number | undefined;
  /** Milliseconds since the beginning. */
  readonly leaseUntil: number | undefined;
  /** When its process goes on by itself, milliseconds since the beginning. */
  readonly wakesAt: number | undefined;
  readonly messages: readonly MessageView[];
}

export interface ChargeView {
  readonly lane: number;
  /** What it was paid for. */
  readonly order: string;
  readonly effect: string;
  readonly amount: number;
  readonly at: number;
  /** Whether the bank has recognised it, and has taken nothing. */
  readonly isKnown: boolean;
}

/** One line of what happened. */
export interface Note {
  readonly kind: 'send' | 'post' | 'table' | 'effect' | 'decision' | 'answer' | 'death' | 'loss' | 'time' | 'work';
  readonly lane: number | undefined;
  readonly text: string;
  /** The row of the table of decisions that was taken. */
  readonly row?: RowId;
}

/** The world after an action. */
export interface State {
  /** Milliseconds since the beginning. */
  readonly time: number;
  readonly lanes: readonly LaneView[];
  readonly records: readonly IdempotencyRecord[];
  readonly balance: number;
  readonly charges: readonly ChargeView[];
  /** What the last action did. */
  readonly notes: readonly Note[];
  /** What the reader may do now. */
  readonly possible: readonly Action[];
  /** The place of each lane as the kill table names it, where its message stops at one. */
  readonly places: readonly (string | undefined)[];
}
