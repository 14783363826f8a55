import { runCommand, type Stop } from '../../test/support/command.ts';
import { startOwnDynamoDBLocal } from '../../tools/dynamodb-local.ts';
import { explain, figures, progressLine } from './report.ts';
import { runPipeline } from './run.ts';
import { readSettings, type Settings, USAGE } from './settings.ts';

/** Six timeouts, as AWS asks for. */
const TIMEOUT = { timeoutMillis: 5000, visibilitySeconds: 30 };
const PROGRESS_EVERY = 5;
const POISON_PER_THOUSAND = 2;

const log = (line: string) => console.log(line);

/** @returns whether everything has held */
async function run({ seed, events, duplicates }: Settings, stops: Stop[]): Promise<boolean> {
  const startedAt = performance.now();
  log(`seed          ${seed}`);
  const database = await startOwnDynamoDBLocal();
  stops.push(() => database.stop());
  let looks = 0;
  const stopping = new AbortController();
  const running = runPipeline({
    endpoint: database.endpoint,
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
    signal: stopping.signal,
    onProgress(progress) {
      if (looks++ % PROGRESS_EVERY > 0) return;
      const seconds = (performance.now() - startedAt) / 1000;
      log(`${seconds.toFixed(1).padStart(5)} s  ${progressLine(progress)}`);
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

await runCommand({ usage: USAGE, readSettings, run });
