import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IdempotencyError, IdempotencyEvent } from 'middy-idempotency';
import { UsageError } from '../../tools/arguments.ts';
import { localDynamoDB, localEnvironment } from '../../tools/clients.ts';
import { startDynamoDBLocal } from '../../tools/dynamodb-local.ts';
import { onStopSignal } from '../../tools/signals.ts';
import { dynamoDBLedger } from '../ledger/dynamodb-ledger.ts';
import { fakeProcessor } from '../payments/fake-processor.ts';
import { type Example, examples, ledgerExample, moreExamples, recordExample } from './curl.ts';
import { type ExampleTables, ensureTables } from './example-tables.ts';
import { describeLine } from './function-line.ts';
import { killedFunction } from './killed-function.ts';
import { withLedger } from './ledger-page.ts';
import { lookAtDynamoDB } from './page/look.ts';
import { localPage } from './page/serve.ts';
import { createLocalPayments } from './payments-function.ts';
import { startPipeline } from './pipeline.ts';
import { type Gateway, openGateway } from './server.ts';
import { type Options, readOptions, readSettings, type Settings, USAGE } from './settings.ts';
import { watchedProcessor } from './watched-processor.ts';

const FUNCTION = { functionName: 'payments-local', timeoutMillis: 10_000 };
const TABLES: ExampleTables = {
  idempotency: 'local-payments-idempotency',
  payments: 'local-payments',
  ledger: 'local-ledger',
};
/** Its lease is short, so that a person sees it end. */
const KILLED = { functionName: 'killed-payments', timeoutMillis: 5000 };
/** As in the stack, but sooner: after a crash, its messages come again within 30 seconds. */
const PIPELINE = { timeoutMillis: 5000, visibilitySeconds: 30, maxReceiveCount: 5, consumers: 1 };
const CRASH_WITHIN_MILLIS = 60;
const PROGRESS_MILLIS = 5000;
const SIGNAL_MILLIS = 100;

const log = (line: string) => console.log(line);

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options.help) return log(USAGE);
  const settings = readSettings(process.env);
  const stops: (() => Promise<void>)[] = [];
  const stopping = onStopSignal(async () => {
    log('Stopping');
    for (const stop of stops.reverse()) await stop();
  });
  try {
    await start({ ...settings, ...options }, stops);
  } catch (error) {
    // Ctrl-C ends Java as well, and that may be noticed before the signal is: it is no failure then.
    await sleep(SIGNAL_MILLIS);
    if (!stopping.aborted) throw error;
  }
}

/** Whatever is started is put on `stops`, to be stopped in reverse. */
async function start(settings: Settings & Options, stops: (() => Promise<void>)[]): Promise<void> {
  const { port, processorLatencyMillis, duplicates, crashes } = settings;
  // This comes first: a port that is taken is reported before a database is started.
  const gateway = await openGateway({ ...FUNCTION, port, log });
  stops.push(gateway.close);
  const database = await startDatabase();
  stops.push(database.stop);
  const { endpoint } = database;
  const client = localDynamoDB(endpoint);
  await ensureTables(client, TABLES);
  const pipeline = await startPipeline({
    ...PIPELINE,
    endpoint,
    client,
    tables: TABLES,
    onLine: onFunctionLine,
    mischief: {
      repeats: () => Math.random() < duplicates,
      crashesAfter: () => (Math.random() < crashes ? Math.random() * CRASH_WITHIN_MILLIS : undefined),
    },
  });
  stops.push(pipeline.stop);
  const processor = watchedProcessor(fakeProcessor({ latencyMillis: processorLatencyMillis }));
  const payments = createLocalPayments({ client, tables: TABLES, processor, onEvent, onCharges });
  const killed = killedFunction({
    ...KILLED,
    module: new URL('killed-payments.ts', import.meta.url),
    environment: {
      ...localEnvironment({ dynamoDB: endpoint }),
      IDEMPOTENCY_TABLE_NAME: TABLES.idempotency,
      PAYMENTS_TABLE_NAME: TABLES.payments,
    },
    processor,
    onLine: (line) => onFunctionLine(line, KILLED.functionName),
  });
  stops.push(killed.stop);
  const ledger = dynamoDBLedger({ tableName: TABLES.ledger, client });
  gateway.invoke(withLedger(killed.instead(payments), ledger, pipeline.queue));
  const lines = linesFor(gateway, endpoint);
  gateway.show(localPage({ lines: lines.first, look: lookAtDynamoDB(client, TABLES), ledger, processor }));
  introduce(gateway, lines);
}

async function startDatabase() {
  const given = process.env['DYNAMODB_ENDPOINT'];
  log(given ? `Waiting for DynamoDB at ${given}` : 'Starting DynamoDB Local');
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  const progress = setInterval(() => log(`DynamoDB does not answer yet (${seconds()})`), PROGRESS_MILLIS);
  try {
    const database = await startDynamoDBLocal();
    log(`DynamoDB answers at ${database.endpoint} (${seconds()})`);
    return database;
  } finally {
    clearInterval(progress);
  }
}

interface Lines {
  /** Those that show the promises. */
  readonly first: readonly Example[];
  readonly more: readonly Example[];
}

function linesFor({ origin }: Gateway, endpoint: string): Lines {
  const name = `try-${randomUUID()}`;
  const record = recordExample({ tableName: TABLES.idempotency, endpoint, name });
  return { first: [...examples(origin, name), record, ledgerExample(origin)], more: moreExamples(origin, name) };
}

function introduce({ origin }: Gateway, { first, more }: Lines): void {
  log(`Tables: ${TABLES.idempotency} (the records), ${TABLES.payments} and ${TABLES.ledger}`);
  log(`Open ${origin} in a browser: it pays, retries, and kills the function.`);
  log(`Payments at ${origin}/payments, for anonymous callers. Ctrl-C ends it. Paste these, one after the other:\n`);
  const show = ({ title, command }: Example) => log(`# ${title}\n${command}\n`);
  first.forEach(show);
  log('And the rest of the API:\n');
  more.forEach(show);
}

function onEvent(event: IdempotencyEvent): void {
  const { type, operation, id, attempt, durationMillis } = event;
  const what = `${type} ${id} attempt ${attempt} ${durationMillis} ms`;
  log(`  idempotency: ${type === 'unguarded' ? `${operation} came without a key, so it keeps no record` : what}`);
  if ('error' in event) log(`  ${(event.error as IdempotencyError).advice ?? event.error}`);
}

function onCharges(charges: number): void {
  log(`  processor: ${charges} ${charges === 1 ? 'charge' : 'charges'} so far`);
}

function onFunctionLine(line: string, functionName: string): void {
  log(`  ${functionName}: ${describeLine(line)}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof UsageError) console.error(`\n${USAGE}`);
  process.exit(error instanceof UsageError ? 2 : 1);
}
