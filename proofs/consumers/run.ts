import type { IdempotencyEvent, IdempotencyEventType } from 'middy-idempotency';
import { startPipeline } from '../../infra/local/pipeline.ts';
import { createPaymentsHandler } from '../../infra/payments/api.ts';
import { drainDeadLetters } from '../../tools/queues.ts';
import { type Random, randomOf } from '../lib/random.ts';
import type { Database } from './databases.ts';
import { pay, type Reuses } from './payers.ts';
import { sendPoison } from './poison.ts';
import { vanishing } from './vanishing.ts';
import { type Found, type Moved, violationsOf } from './verdict.ts';
import { type Patience, untilBooked, untilDone } from './waiting.ts';
import { watchedProcessor } from './watched-processor.ts';

export interface RunOptions extends Patience {
  readonly seed: number;
  readonly events: number;
  /** Part of one: payments of which something goes back. */
  readonly refunded: number;
  readonly poison: number;
  /** Parts of one: events that are published a second time, messages that are not deleted, invocations that are killed. */
  readonly duplicates: number;
  readonly kept: number;
  readonly crashes: number;
  /** Parts of one: requests under a key that another request had, records that vanish. */
  readonly reused: number;
  readonly vanishing: number;
  readonly consumers: number;
  readonly timeoutMillis: number;
  readonly visibilitySeconds: number;
  readonly maxReceiveCount: number;
  readonly consumerModule?: URL;
  /** What Node is given to run the functions. @default what it was given to run this */
  readonly execArgv?: readonly string[];
}

export interface Outcome {
  readonly found: Found;
  readonly violations: readonly string[];
  /** What the guard of the ledger has reported. */
  readonly reports: ReadonlyMap<IdempotencyEventType, number>;
  readonly repeated: number;
  readonly kept: number;
  readonly kills: number;
  readonly reuses: Reuses;
  readonly vanished: { readonly running: number; readonly completed: number };
  readonly seconds: number;
}

const CRASH_WITHIN_MILLIS = 60;

/** Pays, publishes, books, with everything that goes wrong, until nothing is left to do; then judges. */
export async function runPipeline<Item>(database: Database<Item>, options: RunOptions): Promise<Outcome> {
  const { seed, signal } = options;
  const { store, payments, ledger, deleteRecord } = database;
  const startedAt = performance.now();
  const reports = new Map<IdempotencyEventType, number>();
  const moved: Moved[] = [];
  const counted = { repeated: 0, kept: 0 };
  const share = (name: string, part: number, count: () => void) => {
    const random = randomOf(seed, name);
    return () => {
      const happens = random.next() < part;
      if (happens) count();
      return happens;
    };
  };
  const crashing = randomOf(seed, 'crashes');
  const ordering = randomOf(seed, 'order');
  const records = vanishing({
    deleteRecord,
    part: options.vanishing,
    random: randomOf(seed, 'vanishing'),
  });
  const pipeline = await startPipeline({
    ...options,
    backend: database.pipeline,
    onLine(line, functionName) {
      const event = functionName === 'ledger' ? eventIn(line) : undefined;
      if (event === undefined) return;
      reports.set(event.type, (reports.get(event.type) ?? 0) + 1);
      records.onEvent(event);
    },
    mischief: {
      repeats: share('repeats', options.duplicates, () => counted.repeated++),
      keeps: share('keeps', options.kept, () => counted.kept++),
      order: (messages) => shuffled(messages, ordering),
      crashesAfter: () => (crashing.next() < options.crashes ? crashing.between(0, CRASH_WITHIN_MILLIS) : undefined),
    },
  });
  const { queue } = pipeline;
  try {
    const processor = watchedProcessor();
    const forgets = share('forgets', options.vanishing, () => undefined);
    const lambda = createPaymentsHandler({
      store,
      payments,
      processor,
      scope: 'anonymous',
      onEvent: records.onEvent,
    });
    const paying = pay({
      lambda,
      events: options.events,
      refunded: options.refunded,
      reused: options.reused,
      random: randomOf(seed, 'payers'),
      onMoved(one) {
        moved.push(one);
        if (forgets()) processor.forget(one.charge);
      },
      signal,
    });
    const poisoning = untilBooked(ledger, signal).then((booked) => booked && sendPoison(queue, options.poison, booked));
    const done = Promise.all([paying, poisoning]);
    const left = await untilDone(done, { ...options, queue, ledger, moved, reports });
    const [reuses, poison = []] = await done;
    await records.end();
    const { vanished } = records;
    const found: Found = {
      moved,
      movements: processor.movements,
      entries: await ledger.read(),
      poison,
      deadLetters: await drainDeadLetters(queue),
      left,
      vanished: vanished.running + vanished.completed,
    };
    const seconds = (performance.now() - startedAt) / 1000;
    const { kills } = pipeline;
    return { found, violations: violationsOf(found), reports, ...counted, kills, reuses, vanished, seconds };
  } finally {
    await pipeline.stop();
    await records.end();
    await database.close();
  }
}

function eventIn(line: string): IdempotencyEvent | undefined {
  if (!line.startsWith('{')) return void console.error(line);
  const { message, ...event } = JSON.parse(line) as IdempotencyEvent & { readonly message: string };
  return message === 'idempotency' ? event : undefined;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
