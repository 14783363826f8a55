import type { RecordStore } from 'middy-idempotency';
import type { LedgerReader } from '../ledger/booking.ts';
import type { Payments } from '../payments/payments.ts';
import type { Look } from './page/look.ts';
import type { Source } from './source.ts';

/** The database of the example, on this machine. `Item` is one write of its transactions. */
export interface Backend<Item> {
  /** What has been made in it, for a person. */
  readonly tables: string;
  readonly store: RecordStore<Item>;
  readonly payments: Payments<Item>;
  readonly ledger: LedgerReader;
  readonly pipeline: PipelineBackend;
  /** The payments function in a process that is killed: exports a `handler`. */
  readonly killedPayments: URL;
  /** What the page shows. */
  readonly look: Look;
  /** A command for the shell that shows a record. */
  show(recordId: string): string;
  stop(): Promise<void>;
}

export interface OutboxSourceOptions {
  /** Invokes the publisher. */
  readonly invoke: (event: unknown) => Promise<unknown>;
  /** Whether an event is published once more, as when a publisher has died after sending. @default never */
  readonly repeats?: () => boolean;
  /** Gets what keeps the outbox from being read. */
  readonly onError: (error: unknown) => void;
}

/** What the functions behind the payments need of the database. */
export interface PipelineBackend {
  readonly environment: Readonly<Record<string, string>>;
  /** Modules that export a `handler`. */
  readonly publisher: URL;
  readonly consumer: URL;
  /** Has the publisher publish what is in the outbox, until it is stopped. */
  pollOutbox(options: OutboxSourceOptions): Source;
}

/** Gets a line about what is being started. */
export type Log = (line: string) => void;

const PROGRESS_MILLIS = 5000;

/** Starts a database, or waits for one, as `first` says. Says so as long as it does not answer. */
export async function starting<T extends { readonly endpoint: string }>(
  log: Log,
  name: string,
  first: string,
  start: () => Promise<T>,
): Promise<T> {
  log(first);
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  const progress = setInterval(() => log(`${name} does not answer yet (${seconds()})`), PROGRESS_MILLIS);
  try {
    const started = await start();
    log(`${name} answers at ${started.endpoint} (${seconds()})`);
    return started;
  } finally {
    clearInterval(progress);
  }
}
