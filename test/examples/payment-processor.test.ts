import { randomUUID } from 'node:crypto';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { memoryStore } from 'middy-idempotency/memory';
import { postgresStore } from 'middy-idempotency/postgres';
import { redisStore } from 'middy-idempotency/redis';
import { describe, expect, it, vi } from 'vitest';
import {
  Declined,
  fakeProvider,
  generateKey,
  PaymentProcessor,
  type Request,
} from '../../examples/payment-processor/payment-processor.ts';
import { thrownBy } from '../support/harness.ts';
import { page } from '../support/pages.ts';
import { HAS_REDIS, useRedis } from '../support/redis.ts';
import { useSqlTable } from '../support/sql-table.ts';
import { useTable } from '../support/table.ts';

const dynamodb = useTable();
const postgres = useSqlTable();
const redis = useRedis();

const STORES = {
  memory: () => memoryStore(),
  DynamoDB: () => dynamoDBStore(dynamodb),
  PostgreSQL: () => postgresStore({ client: postgres.pool, tableName: postgres.tableName }),
  ...(HAS_REDIS && { Redis: () => redisStore({ client: redis.client }) }),
};

const request = (changes: Partial<Request> = {}): Request => ({
  operation: 'charge',
  user: randomUUID(),
  parameters: { orderId: 'order-1', amount: 1999, currency: 'EUR' },
  ...changes,
});

describe.each(Object.entries(STORES))('the payment processor on %s', (_, makeStore) => {
  it('executes a payment once, and gives its receipt to every duplicate', async () => {
    const provider = vi.fn(fakeProvider);
    const payments = new PaymentProcessor(makeStore() as never, provider);
    const charge = request();
    const receipt = await payments.execute(charge);
    expect(await payments.execute(structuredClone(charge))).toEqual(receipt);
    expect(provider).toHaveBeenCalledOnce();
  });

  it('keeps users and operations apart, and refuses a key with other parameters', async () => {
    const provider = vi.fn(fakeProvider);
    const payments = new PaymentProcessor(makeStore() as never, provider);
    const charge = request();
    await payments.execute(charge);
    await payments.execute({ ...charge, user: randomUUID() });
    await payments.execute({ ...charge, operation: 'refund' });
    expect(provider).toHaveBeenCalledTimes(3);
    const other = { ...charge, parameters: { ...charge.parameters, amount: 1 } };
    expect(await thrownBy(payments.execute(other))).toMatchObject({ code: 'KEY_REUSED' });
  });

  it('gives a refusal again, and tries again after a failure, with the same key for the provider', async () => {
    const keys: string[] = [];
    const failures = [new Error('timeout'), new Declined('no funds')];
    const provider = async (_: Request, key: string) => {
      keys.push(key);
      throw failures[keys.length - 1];
    };
    const payments = new PaymentProcessor(makeStore() as never, provider);
    const charge = request();
    expect(await thrownBy(payments.execute(charge))).toMatchObject({ message: 'timeout' });
    for (const _ of [1, 2]) {
      expect(await thrownBy(payments.execute(charge))).toMatchObject({ name: 'Declined', message: 'no funds' });
    }
    expect(keys).toEqual([keys[0], keys[0]]);
  });
});

it('makes a key of what identifies the request', () => {
  const { operation, parameters, user } = request();
  expect(generateKey(operation, parameters, user)).toEqual({ scope: user, key: 'order-1' });
});

it('has fewer than 80 lines', () => {
  expect(page('examples/payment-processor/payment-processor.ts').split('\n').length).toBeLessThan(80);
});
