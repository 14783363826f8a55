import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IdempotencyError, IdempotencyEvent } from 'middy-idempotency';
import { UsageError } from '../../tools/arguments.ts';
import { localEnvironment } from '../../tools/clients.ts';
import { onStopSignal } from '../../tools/signals.ts';
import { fakeProcessor } from '../payments/fake-processor.ts';
import type { Backend } from './backend.ts';
import { type Example, examples, ledgerExample, moreExamples, recordExample } from './curl.ts';
import { startDynamoDBBackend } from './dynamodb-backend.ts';
import { describeLine } from './function-line.ts';
import { killedFunction } from './killed/function.ts';
import { withLedger } from './ledger-page.ts';
import { localPage } from './page/serve.ts';
import { createLocalPayments } from './payments-function.ts';
import { startPipeline } from './pipeline.ts';
import { startPostgresBackend } from './postgres-backend.ts';
import { type Gateway, openGateway } from './server.ts';
import { type Options, readOptions, readSettings, type Settings, USAGE } from './settings.ts';
import { watchedProcessor } from './watched-processor.ts';

const FUNCTION = { functionName: 'payments-local', timeoutMillis: 10_000 };
/** Its lease is short, so that a person sees it end. */
const KILLED = { functionName: 'killed-payments', timeoutMillis: 5000 };
/** As in the stack, but sooner: after a crash, its messages come again within 30 seconds. */
const PIPELINE = { timeoutMillis: 5000, visibilitySeconds: 30, maxReceiveCount: 5, consumers: 1 };
const CRASH_WITHIN_MILLIS = 60;
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
    // This comes first: a port that is taken is reported before a database is started.
    const gateway = await openGateway({ ...FUNCTION, port: settings.port, log });
    stops.push(gateway.close);
    const start = { ...settings, ...options };
    if (options.store === 'postgres') await serve(gateway, await startPostgresBackend(log), start, stops);
    else await serve(gateway, await startDynamoDBBackend(log), start, stops);
  } catch (error) {
    // Ctrl-C ends Java as well, and that may be noticed before the signal is: it is no failure then.
    await sleep(SIGNAL_MILLIS);
    if (!stopping.aborted) throw error;
  }
}

/** Whatever is started is put on `stops`, to be stopped in reverse. */
async function serve<Item>(
  gateway: Gateway,
  backend: Backend<Item>,
  { processorLatencyMillis, duplicates, crashes }: Settings & Options,
  stops: (() => Promise<void>)[],
): Promise<void> {
  stops.push(backend.stop);
  const { store, payments, ledger } = backend;
  const pipeline = await startPipeline({
    ...PIPELINE,
    backend: backend.pipeline,
    onLine: onFunctionLine,
    mischief: {
      repeats: () => Math.random() < duplicates,
      crashesAfter: () => (Math.random() < crashes ? Math.random() * CRASH_WITHIN_MILLIS : undefined),
    },
  });
  stops.push(pipeline.stop);
  const processor = watchedProcessor(fakeProcessor({ latencyMillis: processorLatencyMillis }));
  const lambda = createLocalPayments({ store, payments, processor, onEvent, onCharges });
  const killed = killedFunction({
    ...KILLED,
    module: backend.killedPayments,
    environment: { ...localEnvironment({}), ...backend.pipeline.environment },
    execArgv: process.execArgv,
    processor,
    onLine: (line) => onFunctionLine(line, KILLED.functionName),
  });
  stops.push(killed.stop);
  gateway.invoke(withLedger(killed.instead(lambda), ledger, pipeline.queue));
  const lines = linesFor(gateway, backend);
  gateway.show(localPage({ look: backend.look, ledger, processor, lines: lines.first }));
  introduce(gateway, backend, lines);
}

interface Lines {
  /** Those that show the promises. */
  readonly first: readonly Example[];
  readonly more: readonly Example[];
}

function linesFor<Item>({ origin }: Gateway, { show }: Backend<Item>): Lines {
  const name = `try-${randomUUID()}`;
  const first = [...examples(origin, name), recordExample(name, show), ledgerExample(origin)];
  return { first, more: moreExamples(origin, name) };
}

function introduce<Item>({ origin }: Gateway, { tables }: Backend<Item>, { first, more }: Lines): void {
  log(`Tables: ${tables}`);
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
