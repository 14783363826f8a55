import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { StoreName } from '../lib/lite-store.ts';
import { FEATURES, WRONG } from './features.ts';
import { run } from './run.ts';

const SLOW_MILLIS = 180_000;
let compileCache = '';
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  compileCache = await mkdtemp(join(tmpdir(), 'kill-'));
});

afterAll(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await rm(compileCache, { recursive: true, force: true });
});

/** All features: `npm run test:kill`. */
async function kill(text: string, name: string, { untilBroken = false, store = 'sdk' as StoreName } = {}) {
  const features = [...FEATURES, ...WRONG].filter((feature) => feature.name.startsWith(text));
  const given = { endpoint: inject('dynamoDBEndpoint'), store, compileCache, name: `kill-test-${name}`, lanes: 2 };
  return run({ ...given, features, untilBroken }, stops);
}

it.each(['sdk', 'lite'] as const)(
  'a process killed anywhere around transact leaves one effect, and one answer for all retries: %s',
  async (store) => {
    const [row] = await kill('transact', `transact-${store}`, { store });
    expect(row).toMatchObject({ feature: 'transact', store, broken: [], places: 9, kills: 9, effects: 9, repeated: 0 });
  },
  SLOW_MILLIS,
);

it(
  'a process killed anywhere in idempotentTransaction leaves one effect, and one answer for all retries',
  async () => {
    const [row] = await kill('idempotentTransaction, its plan reads', 'transaction');
    expect(row).toMatchObject({ broken: [], places: 9, kills: 9, effects: 9, repeated: 0 });
  },
  SLOW_MILLIS,
);

it(
  'the kills find an effect outside of its transaction, steps that are not kept, and a claim without its condition',
  async () => {
    const rows = await kill('wrong', 'wrong', { untilBroken: true });
    expect(rows.map(({ broken }) => broken.join('\n'))).toEqual([
      expect.stringContaining('deposit happened 2 times, at most 1 allowed'),
      expect.stringContaining('reserve happened 2 times, at most 1 allowed'),
      expect.stringContaining('I4: executed although there was an outcome'),
    ]);
  },
  SLOW_MILLIS,
);
