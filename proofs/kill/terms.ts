import type { StoreName } from '../lib/lite-store.ts';

/** What is paid for. Its id is the key. */
export interface Order {
  readonly id: string;
}

/** The tables of a run. */
export interface Tables {
  readonly records: string;
  readonly accounts: string;
  readonly payments: string;
}

/** How the clock of a process is set. Without `at` it is right. */
export interface Clock {
  /** Epoch milliseconds. */
  readonly at?: number;
  /** When it begins to go. @default at once */
  readonly goes?: 'never' | 'when it has looked';
}

export type Answer =
  | { readonly kind: 'returned'; readonly text: string }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'threw'; readonly message: string };

/** A call that a process is to make. */
export interface Call {
  readonly type: 'call';
  /** Who makes it, for the journal. */
  readonly by: string;
  readonly feature: string;
  readonly order: Order;
  readonly clock: Clock;
  /** Whether it stops at every place until it may go on. */
  readonly stops?: boolean;
  /** How long it waits for another execution's outcome. */
  readonly waitMillis?: number;
  /** Whether it is what must have happened before the feature's own call. */
  readonly prepares?: boolean;
  /** The answer to that. */
  readonly prepared?: string;
}

/** An unknown outcome that a person has looked into: with the response of what has happened, or none if nothing has. */
export interface Resolve {
  readonly type: 'resolve';
  readonly recordId: string;
  readonly clock: Clock;
  readonly response?: unknown;
}

export type ToProcess = Call | Resolve;

/** What every process is told at its start. */
export interface Setting {
  readonly store: StoreName;
  readonly dynamoDB: string;
  readonly world: string;
  readonly tables: Tables;
}

/** When a request can be cut off. */
export type Moment = 'leaving' | 'sent' | 'applied' | 'answered';
