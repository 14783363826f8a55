import { UsageError } from '../tools/arguments.ts';
import { runCommand, type SettingsOf, type Stop } from '../tools/command.ts';
import { startDynamoDBLocal } from '../tools/dynamodb-local.ts';
import { flag, someOf } from '../tools/options.ts';
import type { Measurement } from './finding.ts';
import { thisMachine } from './machine.ts';
import { asText } from './report.ts';
import { writeResults } from './results.ts';
import { MEASURE, SUBJECTS } from './subjects.ts';
import { localAt } from './table.ts';

const OPTIONS = {
  only: someOf('Which subjects.', SUBJECTS),
  write: flag('Write bench/results.json, bench/chart.svg and the figures of docs/cost-and-speed.md.'),
};

async function run({ only, write }: SettingsOf<typeof OPTIONS>, stops: Stop[]): Promise<boolean> {
  if (write && only.length < SUBJECTS.length)
    throw new UsageError('--write needs all subjects, and --only leaves some out');
  const begun = performance.now();
  const { endpoint, stop } = await startDynamoDBLocal();
  stops.push(stop);
  const local = localAt(endpoint);
  const measurements: Measurement[] = [];
  for (const subject of only) {
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

await runCommand({
  name: 'bench',
  about: `
    Cold start, CPU, latency, requests, write units and growth of this package, against @aws-lambda-powertools/idempotency and
    against bare requests. Each side has a process of its own, in alternating rounds: medians, and ratios within this run. About
    eight minutes on two cores; Ctrl-C ends everything. Other load on the machine makes the figures worse than they are. For the
    share of a CPU that 512 MB have, it makes a control group, which needs Linux and root; elsewhere it compares CPU time.`,
  options: OPTIONS,
  takesEndpoint: true,
  run,
});
