import { expect, it } from 'vitest';
import { isMet } from './expression.ts';
import { doublesOf } from './judge.ts';
import { playSeed } from './schedule.ts';
import { explain, playMany } from './tally.ts';
import type { Call } from './world.ts';

/** `npm run test:migration` runs thousands. */
const SCHEDULES = 150;

it(`has no double effect that Powertools alone would not have, in ${SCHEDULES} deploys with a rollback`, async () => {
  const { failed, doubles, conflicts } = await playMany(1, SCHEDULES);
  for (const seed of failed) expect.fail((await explain(seed)).text);
  // Otherwise the schedules would show nothing.
  expect(doubles['its time was over']).toBeGreaterThan(0);
  expect(conflicts).toBeGreaterThan(0);
}, 60_000);

it('has one effect for each request that gets through, where nothing fails', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { calls } = await playSeed(seed, { faults: false });
    for (const key of new Set(calls.map((call) => call.key))) {
      const ofKey = calls.filter((call) => call.key === key);
      const effects = ofKey.filter(({ effectAt, settled }) => effectAt !== undefined && settled !== undefined);
      expect(effects.length, `seed ${seed}`).toBeLessThanOrEqual(1);
    }
  }
}, 60_000);

it('plays the same again for the same seed', async () => {
  expect(await explain(77)).toEqual(await explain(77));
});

it('finds a double effect without a reason', () => {
  const at = (time: number) => ({ at: time, order: time });
  const call = (name: string, claimed: number, more: Partial<Call> = {}): Call => ({
    ...{ name, key: 'k', version: 'old', startedAt: claimed, deadline: claimed + 10 },
    ...{ isAlive: true, isOver: true, effectAt: claimed, claimed: at(claimed) },
    ...more,
  });
  const reasonsOf = (first: Call, second: Call, late: number[] = []) =>
    doublesOf(
      [first, second],
      late.map((time) => ({ key: 'k', ...at(time) })),
    ).map(({ reason }) => reason);
  expect(reasonsOf(call('a', 0), call('b', 5))).toEqual(['UNEXPLAINED']);
  expect(reasonsOf(call('a', 0, { settled: at(2) }), call('b', 50))).toEqual(['UNEXPLAINED']);
  expect(reasonsOf(call('a', 0, { settled: { at: 50, order: 51 } }), call('b', 50))).toEqual(['its time was over']);
  expect(reasonsOf(call('a', 0), call('b', 10))).toEqual(['its time was over']);
  expect(reasonsOf(call('a', 0), call('b', 5), [3])).toEqual(['a late write of the old code']);
  expect(reasonsOf(call('a', 0), call('b', 5, { key: 'other' }))).toEqual([]);
});

it('knows the conditions that it simulates', () => {
  const names = {
    ExpressionAttributeNames: { '#id': 'id', '#n': 'n' },
    ExpressionAttributeValues: { ':one': { N: '1' } },
  };
  const holds = (ConditionExpression: string, item?: object) => isMet({ ConditionExpression, ...names }, item as never);
  expect(holds('attribute_not_exists(#id) OR #n < :one')).toBe(true);
  expect(holds('attribute_not_exists(#id) OR #n < :one', { id: { S: 'x' }, n: { N: '1' } })).toBe(false);
  expect(
    holds('attribute_not_exists(#id) OR (#n = :one AND attribute_exists(#id))', { id: { S: 'x' }, n: { N: '1' } }),
  ).toBe(true);
  expect(() => holds('size(#id)')).toThrow('does not know');
});
