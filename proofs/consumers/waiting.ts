import { setTimeout as sleep } from 'node:timers/promises';
import type { IdempotencyEventType } from 'middy-idempotency';
import type { LedgerEntry, LedgerReader } from '../../infra/ledger/booking.ts';
import { depthOf, type LocalQueue } from '../../tools/queues.ts';
import type { Moved } from './verdict.ts';

/** The first entry that there is: something to contradict. */
export async function untilBooked(ledger: LedgerReader, signal: AbortSignal): Promise<LedgerEntry | undefined> {
  while (!signal.aborted) {
    const [entry] = await ledger.read();
    if (entry !== undefined) return entry;
    await sleep(200);
  }
  return undefined;
}

export interface Progress {
  readonly moved: number;
  readonly booked: number;
  readonly waiting: number;
  readonly dead: number;
}

export interface Patience {
  /** Everything is given up when nothing has changed for so long. */
  readonly patienceMillis: number;
  /** Called about once a second. */
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

interface Waiting extends Patience {
  readonly queue: LocalQueue;
  readonly ledger: LedgerReader;
  readonly moved: readonly Moved[];
  readonly reports: ReadonlyMap<IdempotencyEventType, number>;
}

const LOOK_MILLIS = 1000;
/** So many looks in a row at an empty queue: what the publisher has still to send comes within them. */
const EMPTY_LOOKS = 3;

/** Answers how many messages are left in the queue: 0, unless nothing happens any more before that. */
export async function untilDone(done: Promise<unknown>, waiting: Waiting): Promise<number> {
  const { queue, ledger, moved, reports, patienceMillis, onProgress, signal } = waiting;
  let isFed = false;
  let failure: unknown;
  done.then(
    () => {
      isFed = true;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  let last = '';
  let changedAt = performance.now();
  let empty = 0;
  for (;;) {
    await sleep(LOOK_MILLIS);
    signal.throwIfAborted();
    if (failure !== undefined) throw failure;
    const left = await depthOf(queue, queue.url);
    const dead = await depthOf(queue, queue.deadLetterUrl);
    const booked = reports.get('completed') ?? 0;
    onProgress({ moved: moved.length, booked, waiting: left, dead });
    empty = isFed && left === 0 ? empty + 1 : 0;
    if (empty >= EMPTY_LOOKS && (await ledger.read()).length >= 2 * moved.length) return left;
    const now = JSON.stringify([moved.length, booked, left, dead]);
    if (now !== last) changedAt = performance.now();
    last = now;
    if (performance.now() - changedAt > patienceMillis) return left;
  }
}
