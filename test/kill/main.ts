import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDynamoDBLocal } from '../../infra/local/dynamodb-local.ts';
import { onStopSignal } from '../../infra/local/signals.ts';
import { type Row, run } from './run.ts';
import { readSettings, type Settings, USAGE, UsageError } from './settings.ts';

const HEAD = ['feature', 'places', 'kills', 'retries', 'effects', 'repeated', 'replays', 'broken promises', 'seconds'];

/** @returns how many promises were broken */
async function runAll({ features, lanes }: Settings, stops: (() => Promise<unknown>)[]): Promise<number> {
  let startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1);
  const compileCache = await mkdtemp(join(tmpdir(), 'kill-'));
  stops.push(() => rm(compileCache, { recursive: true, force: true }));
  const { endpoint, stop } = await startDynamoDBLocal();
  stops.push(stop);
  console.log(`| ${HEAD.join(' | ')} |\n|${'---|'.repeat(HEAD.length)}`);
  startedAt = performance.now();
  const onRow = (row: Row) => console.log(`| ${[...cellsOf(row), seconds()].join(' | ')} |`);
  const rows = await run({ features, lanes, endpoint, compileCache, name: `kill-${process.pid}`, onRow }, stops);
  const all = rows.reduce(add, NOTHING);
  onRow(all);
  for (const broken of all.broken) console.log(broken);
  return all.broken.length;
}
const NOTHING: Row = {
  ...{ feature: 'all', places: 0, kills: 0, retries: 0, effects: 0, repeated: 0, replays: 0 },
  broken: [],
};

function add(all: Row, row: Row): Row {
  return {
    feature: all.feature,
    places: all.places + row.places,
    kills: all.kills + row.kills,
    retries: all.retries + row.retries,
    effects: all.effects + row.effects,
    repeated: all.repeated + row.repeated,
    replays: all.replays + row.replays,
    broken: [...all.broken, ...row.broken],
  };
}

function cellsOf({ feature, places, kills, retries, effects, repeated, replays, broken }: Row): unknown[] {
  return [feature, places, kills, retries, effects, repeated, replays, broken.length];
}

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2));
  if (settings === undefined) return console.log(USAGE);
  const stops: (() => Promise<unknown>)[] = [];
  const stopAll = async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  const stopping = onStopSignal(async () => {
    await stopAll();
    console.log('Stopped');
    process.exit(130);
  });
  try {
    const broken = await runAll(settings, stops);
    await stopAll();
    process.exitCode = broken === 0 ? 0 : 1;
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
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
