import type { IdempotencyEventType } from 'middy-idempotency';
import { dynamoDBLedger } from '../../infra/ledger/dynamodb-ledger.ts';
import { type ExampleTables, ensureTables } from '../../infra/local/example-tables.ts';
import { createLocalPayments } from '../../infra/local/payments-function.ts';
import { startPipeline } from '../../infra/local/pipeline.ts';
import { localDynamoDB } from '../../tools/clients.ts';
import { drainDeadLetters } from '../../tools/queues.ts';
import { type Random, randomOf } from '../lib/random.ts';
import { pay } from './payers.ts';
import { sendPoison } from './poison.ts';
import { type Found, type Moved, violationsOf } from './verdict.ts';
import { type Patience, untilBooked, untilDone } from './waiting.ts';

export interface RunOptions extends Patience {
  /** Of DynamoDB Local. */
  readonly endpoint: string;
  readonly tables: ExampleTables;
  readonly seed: number;
  readonly events: number;
  readonly poison: number;
  /** Parts of one: events that are published a second time, messages that are not deleted, invocations that are killed. */
  readonly duplicates: number;
  readonly kept: number;
  readonly crashes: number;
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
  readonly seconds: number;
}

const CRASH_WITHIN_MILLIS = 60;

/** Pays, publishes, books, with everything that goes wrong, until nothing is left to do; then judges. */
export async function runPipeline(options: RunOptions): Promise<Outcome> {
  const { endpoint, tables, seed, signal } = options;
  const startedAt = performance.now();
  const client = localDynamoDB(endpoint);
  await ensureTables(client, tables);
  const ledger = dynamoDBLedger({ tableName: tables.ledger, client });
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
  const pipeline = await startPipeline({
    ...options,
    client,
    onLine: (line, functionName) => functionName === 'ledger' && report(line, reports),
    mischief: {
      repeats: share('repeats', options.duplicates, () => counted.repeated++),
      keeps: share('keeps', options.kept, () => counted.kept++),
      order: (messages) => shuffled(messages, ordering),
      crashesAfter: () => (crashing.next() < options.crashes ? crashing.between(0, CRASH_WITHIN_MILLIS) : undefined),
    },
  });
  const { queue } = pipeline;
  try {
    const lambda = createLocalPayments({ client, tables, processorLatencyMillis: 0, onEvent: () => undefined });
    const paying = pay({
      lambda,
      events: options.events,
      random: randomOf(seed, 'payers'),
      onMoved: (one) => moved.push(one),
      signal,
    });
    const poisoning = untilBooked(ledger, signal).then((booked) => booked && sendPoison(queue, options.poison, booked));
    const done = Promise.all([paying, poisoning]);
    const left = await untilDone(done, { ...options, queue, ledger, moved, reports });
    const [, poison = []] = await done;
    const found: Found = {
      moved,
      entries: await ledger.read(),
      poison,
      deadLetters: await drainDeadLetters(queue),
      left,
    };
    const seconds = (performance.now() - startedAt) / 1000;
    return { found, violations: violationsOf(found), reports, ...counted, kills: pipeline.kills, seconds };
  } finally {
    await pipeline.stop();
    client.destroy();
  }
}

function report(line: string, reports: Map<IdempotencyEventType, number>): void {
  if (!line.startsWith('{')) return void console.error(line);
  const { message, type } = JSON.parse(line) as { message: string; type: IdempotencyEventType };
  if (message === 'idempotency') reports.set(type, (reports.get(type) ?? 0) + 1);
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
