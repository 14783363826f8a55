import { PGlite, type Transaction } from '@electric-sql/pglite';
import type { Context, SQSRecord } from 'aws-lambda';
import { type IdempotencyHandle, idempotent } from 'middy-idempotency';
import { sqsBodyKey } from 'middy-idempotency/events';
import { idempotentTransaction, postgresStore, type SqlItem, type TransactionClient } from 'middy-idempotency/postgres';
import pg from 'pg';
import postgres, { type TransactionSql } from 'postgres';
import { expect, expectTypeOf, it } from 'vitest';

const clients = { pool: new pg.Pool(), lite: () => new PGlite(), sql: postgres({ host: '127.0.0.1' }) };

it('the client of a transaction has the type of its package', () => {
  expectTypeOf<TransactionClient<pg.Pool>>().toEqualTypeOf<pg.PoolClient>();
  expectTypeOf<TransactionClient<PGlite>>().toEqualTypeOf<Transaction>();
  expectTypeOf<TransactionClient<typeof clients.sql>>().toEqualTypeOf<TransactionSql>();
});

it('transact and idempotentTransaction take functions of it', () => {
  const store = postgresStore({ client: clients.pool });
  const transacting = idempotent(
    async ({ id }: { id: string }, { transact }: IdempotencyHandle<SqlItem<pg.PoolClient>>) => {
      await transact([(tx) => tx.query('select 1')], { id });
      return id;
    },
    { store, key: 'id', operation: 'test', passHandle: true },
  );
  expectTypeOf(transacting).returns.resolves.toEqualTypeOf<string>();
  const working = idempotentTransaction(
    async (tx: pg.PoolClient, { deriveKey }, order: { id: string }) => ({
      key: deriveKey('a'),
      order,
      tx: await tx.query(''),
    }),
    { store, key: (order) => order.id, operation: 'test' },
  );
  expectTypeOf(working).parameters.toEqualTypeOf<[{ id: string }]>();
  expect(typeof working).toBe('function');
});

it('a key of an event source selects from the first argument of the work, where it has more', () => {
  const booking = idempotentTransaction(async (_: pg.PoolClient, __, { body }: SQSRecord, ___: Context) => body, {
    store: postgresStore({ client: clients.pool }),
    key: sqsBodyKey('id'),
    operation: 'test',
  });
  expectTypeOf(booking).parameters.toEqualTypeOf<[SQSRecord, Context]>();
});

it('work has the client of the store, where it does not name its type', () => {
  const counting = idempotentTransaction(async (tx) => (await tx`select 1`).length, {
    store: postgresStore({ client: clients.sql }),
    key: () => 1,
    operation: 'test',
  });
  expectTypeOf(counting).returns.resolves.toEqualTypeOf<number>();
});
