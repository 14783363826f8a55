import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand, type Stop } from '../../test/support/command.ts';
import { startDynamoDBLocal } from '../../tools/dynamodb-local.ts';
import type { Judgement } from './judge.ts';
import { type Row, run, sumOf } from './run.ts';
import { readSettings, type Settings, USAGE } from './settings.ts';
import type { Story } from './story.ts';

const HEAD = ['feature', 'places', 'kills', 'retries', 'effects', 'repeated', 'replays', 'broken promises', 'seconds'];
const MAX_LINES = 20;

/** @returns whether every promise has held; of guards that are wrong on purpose, whether each has broken one */
async function runAll({ features, lanes, places, wrong }: Settings, stops: Stop[]): Promise<boolean> {
  const compileCache = await mkdtemp(join(tmpdir(), 'kill-'));
  stops.push(() => rm(compileCache, { recursive: true, force: true }));
  const { endpoint, stop } = await startDynamoDBLocal();
  stops.push(stop);
  console.log(`| ${HEAD.join(' | ')} |\n|${'---|'.repeat(HEAD.length)}`);
  const startedAt = performance.now();
  let before = startedAt;
  const print = (row: Row, since: number) => {
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    console.log(`| ${[...cellsOf(row), seconds].join(' | ')} |`);
  };
  const onRow = (row: Row) => {
    print(row, before);
    before = performance.now();
  };
  const onKill = ({ feature, place }: Story, { times }: Judgement) => {
    const counted = Object.entries(times).map(([effect, count]) => `${effect} ${count}`);
    if (places) console.log(`${feature}, killed at "${place}": ${counted.join(', ')}`);
  };
  const name = `kill-${process.pid}`;
  const rows = await run({ features, lanes, endpoint, compileCache, name, onKill, onRow }, stops);
  const all = { feature: 'all', ...sumOf(rows) };
  print(all, startedAt);
  for (const broken of all.broken.slice(0, MAX_LINES)) console.log(broken);
  if (all.broken.length > MAX_LINES) console.log(`and ${all.broken.length - MAX_LINES} more`);
  return wrong ? rows.every(({ broken }) => broken.length > 0) : all.broken.length === 0;
}

function cellsOf({ feature, places, kills, retries, effects, repeated, replays, broken }: Row): unknown[] {
  return [feature, places, kills, retries, effects, repeated, replays, broken.length];
}

await runCommand({ usage: USAGE, readSettings, run: runAll });
