import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idempotent } from 'middy-idempotency';
import { checkIdempotency, expectIdempotent, NotIdempotentError } from 'middy-idempotency/testing';

const effects = { processor: { charge: async ({ id }) => `ch_${id}` } };
const check = (key) => ({
  handler: ({ store, processor }) =>
    idempotent((order, _context, { deriveKey }) => processor.charge(order, key && deriveKey(key)), {
      store,
      key: 'id',
      operation: 'pay',
      passHandle: true,
    }),
  event: { id: '4711' },
  effects,
});

test('a handler is checked under the test runner of Node', async () => {
  await expectIdempotent(check('charge'));
  await assert.rejects(expectIdempotent(check()), NotIdempotentError);
  const { findings } = await checkIdempotency(check());
  assert.equal(findings.length, 1);
});
