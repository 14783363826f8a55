import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStore } from 'middy-idempotency/memory';
import { lambdaContext, sqsEvent } from 'middy-idempotency/testing';
import { consumer } from './consumer.ts';

test('an order is booked once, however often its message comes', async () => {
  const booked: string[] = [];
  const handler = consumer(memoryStore(), async ({ orderId }) => void booked.push(orderId));
  const event = sqsEvent([{ orderId: '4711' }, { orderId: '4712' }]);

  assert.deepEqual(await handler(event, lambdaContext()), { batchItemFailures: [] });
  assert.deepEqual(await handler(event, lambdaContext()), { batchItemFailures: [] });
  assert.deepEqual(booked, ['4711', '4712']);
});
