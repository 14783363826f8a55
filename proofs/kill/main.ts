import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../tools/arguments.ts';
import { runCommand, type SettingsOf, type Stop } from '../../tools/command.ts';
import { startDynamoDBLocal } from '../../tools/dynamodb-local.ts';
import { flag, texts, whole } from '../../tools/options.ts';
import { STORE } from '../lib/lite-store.ts';
import { FEATURES, WRONG } from './features.ts';
import type { Judgement } from './judge.ts';
import { type Row, run, sumOf } from './run.ts';
import type { Story } from './story.ts';

const HEAD = [
  'feature',
  'store',
  'places',
  'kills',
  'retries',
  'effects',
  'repeated',
  'replays',
  'broken promises',
  'seconds',
];
const MAX_LINES = 20;

const OPTIONS = {
  feature: texts('Only features with this text in their name.'),
  lanes: whole('How many processes are killed at a time.', { from: 1, to: 16, or: 3 }),
  places: flag('Say how often each effect has happened after each single kill.'),
  store: STORE,
  wrong: flag('Guards that are wrong on purpose. Fails when one of them breaks no promise.'),
};
type Settings = SettingsOf<typeof OPTIONS>;

/** @returns whether every promise has held; of guards that are wrong on purpose, whether each has broken one */
async function runAll({ feature, lanes, places, store, wrong }: Settings, stops: Stop[]): Promise<boolean> {
  const wanted = feature.length === 0 ? [''] : feature;
  const features = (wrong ? WRONG : FEATURES).filter(({ name }) => wanted.some((text) => name.includes(text)));
  if (features.length === 0) throw new UsageError(`no feature has ${feature.join(' or ')} in its name`);
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
  const rows = await run({ features, lanes, store, endpoint, compileCache, name, onKill, onRow }, stops);
  const all = { feature: 'all', store, ...sumOf(rows) };
  print(all, startedAt);
  for (const broken of all.broken.slice(0, MAX_LINES)) console.log(broken);
  if (all.broken.length > MAX_LINES) console.log(`and ${all.broken.length - MAX_LINES} more`);
  return wrong ? rows.every(({ broken }) => broken.length > 0) : all.broken.length === 0;
}

function cellsOf({ feature, store, places, kills, retries, effects, repeated, replays, broken }: Row): unknown[] {
  return [feature, store, places, kills, retries, effects, repeated, replays, broken.length];
}

await runCommand({
  name: 'test:kill',
  about: `
    A process calls a guarded function or Lambda handler against DynamoDB Local and is killed (SIGKILL) wherever it waits for
    anything: before each request to DynamoDB and each effect leaves, while it is on its way, when it was applied but not
    answered, and when the answer has arrived. The places are counted in a run without a kill. After each kill others retry:
    while the lease is live, when it is over, and once there is an outcome. Effects are counted outside of the processes. Fails
    when a promise is broken. Ctrl-C ends everything.`,
  options: OPTIONS,
  takesEndpoint: true,
  run: runAll,
});
