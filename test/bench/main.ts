import { startDynamoDBLocal } from '../../infra/local/dynamodb-local.ts';
import { onStopSignal } from '../../infra/local/signals.ts';
import type { Measurement } from './finding.ts';
import { thisMachine } from './machine.ts';
import { asText } from './report.ts';
import { writeResults } from './results.ts';
import { readSettings, type Settings, USAGE, UsageError } from './settings.ts';
import { MEASURE } from './subjects.ts';
import { localAt } from './table.ts';

async function run({ subjects, write }: Settings, stops: (() => Promise<void>)[]): Promise<void> {
  const { endpoint, stop } = await startDynamoDBLocal();
  stops.push(stop);
  const local = localAt(endpoint);
  const measurements: Measurement[] = [];
  for (const subject of subjects) {
    const startedAt = performance.now();
    const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
    measurements.push(await MEASURE[subject](local, (text) => console.error(`${subject}: ${text} (${seconds()})`)));
  }
  const machine = thisMachine();
  console.log(`\n${asText(measurements)}\n\n${machine.date}, ${machine.cpu}, Node ${machine.node}`);
  if (write) writeResults(measurements, machine);
}

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2));
  if (settings === undefined) return console.log(USAGE);
  const startedAt = performance.now();
  const stops: (() => Promise<void>)[] = [];
  const stopAll = async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  const stopping = onStopSignal(async () => {
    await stopAll();
    console.error('Stopped');
    process.exit(130);
  });
  try {
    await run(settings, stops);
    await stopAll();
    console.log(`${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
    process.exit(0);
  } catch (error) {
    // What fails while everything is being stopped, fails because of that.
    if (stopping.aborted) return;
    await stopAll();
    throw error;
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error);
  process.exit(error instanceof UsageError ? 2 : 1);
}
