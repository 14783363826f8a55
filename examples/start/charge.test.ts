import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStore } from 'middy-idempotency/memory';
import { expectIdempotent } from 'middy-idempotency/testing';
import { charging, type Order } from './charge.ts';

const order: Order = { id: '4711', amount: 1999 };
const ports = () => ({
  store: memoryStore(),
  processor: { charge: async ({ id }: Order) => ({ chargeId: `ch_${id}` }) },
});

test('the second call gets the result of the first', async () => {
  const charge = charging(ports());
  assert.deepEqual(await charge(order), { chargeId: 'ch_4711' });
  assert.deepEqual(await charge(order), { chargeId: 'ch_4711' });
});

test('crashes, lost answers, timeouts and duplicates charge once', async () => {
  await expectIdempotent({ handler: charging, event: order, effects: ports });
});
