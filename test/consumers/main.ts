import { startOwnDynamoDBLocal } from '../../infra/local/dynamodb-local.ts';
import { onStopSignal } from '../../infra/local/signals.ts';
import { explain, figures, progressLine } from './report.ts';
import { runPipeline } from './run.ts';
import { readSettings, type Settings, USAGE, UsageError } from './settings.ts';

/** Six timeouts, as AWS asks for. */
const TIMEOUT = { timeoutMillis: 5000, visibilitySeconds: 30 };
const PROGRESS_EVERY = 5;
const POISON_PER_THOUSAND = 2;

const log = (line: string) => console.log(line);

/** @returns whether everything has held */
async function run({ seed, events, duplicates }: Settings, database: string, signal: AbortSignal): Promise<boolean> {
  const startedAt = performance.now();
  let looks = 0;
  const outcome = await runPipeline({
    endpoint: database,
    tables: { idempotency: 'idempotency', payments: 'payments', ledger: 'ledger' },
    seed,
    events,
    duplicates,
    poison: Math.max(5, Math.round((events * POISON_PER_THOUSAND) / 1000)),
    kept: 0.02,
    crashes: 0.03,
    consumers: 3,
    ...TIMEOUT,
    maxReceiveCount: 5,
    patienceMillis: 60_000,
    signal,
    onProgress(progress) {
      if (looks++ % PROGRESS_EVERY > 0) return;
      const seconds = (performance.now() - startedAt) / 1000;
      log(`${seconds.toFixed(1).padStart(5)} s  ${progressLine(progress)}`);
    },
  });
  log('');
  for (const line of [...explain(outcome), ...figures(outcome)]) log(line);
  return outcome.violations.length === 0;
}

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2));
  if (settings === undefined) return log(USAGE);
  log(`seed          ${settings.seed}`);
  const stops: (() => Promise<unknown>)[] = [];
  const stopping = onStopSignal(async () => {
    for (const stop of stops) await stop();
    log('Stopped');
    process.exit(130);
  });
  try {
    const database = await startOwnDynamoDBLocal();
    let running: Promise<boolean> | undefined;
    stops.push(
      () => Promise.resolve(running).catch(() => undefined),
      () => database.stop(),
    );
    running = run(settings, database.endpoint, stopping);
    const isRight = await running;
    await database.stop();
    process.exitCode = isRight ? 0 : 1;
  } catch (error) {
    // What fails while everything is being stopped, fails because of that.
    if (stopping.aborted) return;
    for (const stop of stops) await stop();
    throw error;
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
