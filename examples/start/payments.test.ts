import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStore } from 'middy-idempotency/memory';
import { apiGatewayV2Event, lambdaContext } from 'middy-idempotency/testing';
import { payments } from './payments.ts';

const handler = payments(memoryStore());
const pay = (key: string, amount: number) =>
  handler(
    apiGatewayV2Event({ path: '/payments', headers: { 'idempotency-key': key }, body: { amount } }),
    lambdaContext(),
  );

test('a retry gets the first answer', async () => {
  const first = await pay('order-4711', 1999);
  const retry = await pay('order-4711', 1999);
  assert.equal(first.statusCode, 201);
  assert.equal(retry.body, first.body);
});

test('a key with another amount is refused', async () => {
  const refused = await pay('order-4711', 500);
  assert.equal(refused.statusCode, 422);
});
