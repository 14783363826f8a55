import { runCommand, type SettingsOf, type Stop } from '../../tools/command.ts';
import { startOwnDynamoDBLocal } from '../../tools/dynamodb-local.ts';
import { oneOf, seed, share, whole } from '../../tools/options.ts';
import { startPostgres } from '../../tools/postgres.ts';
import { stopwatch } from '../lib/stopwatch.ts';
import { type Database, openDynamoDB, openPostgreSQL } from './databases.ts';
import { holdBackFailures } from './quiet.ts';
import { explain, figures, progressLine } from './report.ts';
import { type Outcome, type RunOptions, runPipeline } from './run.ts';

/** Six timeouts, as AWS asks for. */
const TIMEOUT = { timeoutMillis: 5000, visibilitySeconds: 30 };
const MAX_RECEIVES = 5;
/** A poisoned message comes back after each timeout of its visibility: nothing else may change until it is dead. */
const PATIENCE_MILLIS = (MAX_RECEIVES + 1) * TIMEOUT.visibilitySeconds * 1000;
const PROGRESS_EVERY = 5;
const POISON_PER_THOUSAND = 2;

const OPTIONS = {
  store: oneOf('The database of the example.', ['dynamodb', 'postgres']),
  events: whole('How many payments and refunds together.', { from: 10, to: 100_000, or: 10_000 }),
  duplicates: share('Which part of them is published twice.', { or: 0.3 }),
  vanishing: share('Which part of the records is deleted under way.', { or: 0.1 }),
  seed: seed('Chooses what goes wrong; when it does is up to the machine.'),
};

const log = (line: string) => console.log(line);

type RunIn = (options: RunOptions) => Promise<Outcome>;

const runningIn =
  <Item>(database: Database<Item>): RunIn =>
  (options) =>
    runPipeline(database, options);

async function startInDynamoDB(stops: Stop[]): Promise<RunIn> {
  const { endpoint, stop } = await startOwnDynamoDBLocal();
  stops.push(stop);
  return runningIn(
    await openDynamoDB(endpoint, { idempotency: 'idempotency', payments: 'payments', ledger: 'ledger' }),
  );
}

async function startInPostgres(stops: Stop[]): Promise<RunIn> {
  const { url, stop } = await startPostgres();
  stops.push(stop);
  return runningIn(await openPostgreSQL(url, 'consumers'));
}

/** @returns whether everything has held */
async function run(
  { store, seed, events, duplicates, vanishing }: SettingsOf<typeof OPTIONS>,
  stops: Stop[],
): Promise<boolean> {
  const { say } = stopwatch();
  log(`seed          ${seed}`);
  const runIn = await (store === 'postgres' ? startInPostgres(stops) : startInDynamoDB(stops));
  const sayAgain = holdBackFailures();
  stops.push(async () => sayAgain());
  let looks = 0;
  const stopping = new AbortController();
  const running = runIn({
    seed,
    events,
    duplicates,
    refunded: 0.25,
    poison: Math.max(5, Math.round((events * POISON_PER_THOUSAND) / 1000)),
    kept: 0.02,
    crashes: 0.03,
    reused: 0.1,
    vanishing,
    consumers: 3,
    ...TIMEOUT,
    maxReceiveCount: MAX_RECEIVES,
    patienceMillis: PATIENCE_MILLIS,
    signal: stopping.signal,
    onProgress(progress) {
      if (looks++ % PROGRESS_EVERY > 0) return;
      say(progressLine(progress));
    },
  });
  stops.push(() => {
    stopping.abort();
    return running.catch(() => undefined);
  });
  const outcome = await running;
  log('');
  for (const line of [...explain(outcome), ...figures(outcome)]) log(line);
  return outcome.violations.length === 0;
}

await runCommand({
  name: 'test:consumers',
  about: `
    Pays and refunds through the example API. Every event goes through the outbox, the publisher,
    a queue of an SQS-compatible server and the ledger's consumers. Events are published twice, deletions are lost, the order is
    shuffled, processes are killed in the middle of what they do, and some messages are poison. Keys come again for other
    payments, records are deleted, and the processor forgets keys. Then the ledger is compared with what the API has answered, and
    with what the processor has charged and paid out. DynamoDB Local needs Java 17 or later. Ctrl-C ends everything.`,
  options: OPTIONS,
  run,
});
