import { runCommand, type Stop } from '../test/support/command.ts';
import { startDynamoDBLocal } from '../tools/dynamodb-local.ts';
import type { Measurement } from './finding.ts';
import { thisMachine } from './machine.ts';
import { asText } from './report.ts';
import { writeResults } from './results.ts';
import { readSettings, type Settings, USAGE } from './settings.ts';
import { MEASURE } from './subjects.ts';
import { localAt } from './table.ts';

async function run({ subjects, write }: Settings, stops: Stop[]): Promise<boolean> {
  const begun = performance.now();
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
  console.log(`${((performance.now() - begun) / 1000).toFixed(0)} s`);
  return true;
}

await runCommand({ usage: USAGE, readSettings, run });
