import { randomUUID } from 'node:crypto';
import { postgresStore } from 'middy-idempotency/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PAYMENTS, payByUniqueKey, paymentsIn } from '../../examples/sql-unique-key/payments.ts';
import { thrownBy } from '../support/harness.ts';
import { usePool, useSqlTable } from '../support/sql-table.ts';

const { pool: admin, tableName } = useSqlTable();
const schema = `payments_${randomUUID().replaceAll('-', '')}`;
const pool = usePool({ options: `-c search_path=${schema},public` });
beforeAll(async () => {
  await admin.query(`create schema ${schema}`);
  await pool.query(PAYMENTS);
});
afterAll(() => admin.query(`drop schema ${schema} cascade`));

const pay = paymentsIn(postgresStore({ client: pool, tableName, schema: 'public' }));

describe('a unique key alone', () => {
  it('inserts once, and takes another amount for a duplicate', async () => {
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 10 }, () => payByUniqueKey(pool, { key, amount: 10 })));
    expect(answers.filter((answer) => answer === 'paid')).toHaveLength(1);
    expect(await payByUniqueKey(pool, { key, amount: 11 })).toBe('duplicate');
  });
});

describe('idempotentTransaction on the same table', () => {
  it('inserts once, gives every duplicate the response, and refuses another amount', async () => {
    const payment = { key: randomUUID(), amount: 10 };
    const answers = await Promise.all(Array.from({ length: 10 }, () => pay(payment)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toEqual({ ...payment, createdAt: expect.any(String) });
    expect(await thrownBy(pay({ ...payment, amount: 11 }))).toMatchObject({ code: 'KEY_REUSED' });
  });
});
