import type pg from 'pg';
import { type IdempotencyHandle, idempotent } from '../../src/index.ts';
import { idempotentTransaction, postgresStore, type SqlItem } from '../../src/stores/postgres.ts';
import { killedPool } from './killed-pool.ts';

/**
 * A process that pays once, and is killed at a place: before or after a statement that it sends. Its arguments: the URL, the way,
 * the key, and the place, or nothing.
 */
const [, , url = '', way = '', key = '', place = ''] = process.argv;

const { pool, places } = killedPool(url, Number(place));
const store = postgresStore({ client: pool });
const common = { store, key: () => key, operation: way, warnings: false, onInFlight: { waitMillis: 20_000 } } as const;
const pay = (tx: pg.PoolClient) => tx.query('insert into effects values ($1)', [key]);

const ways: Readonly<Record<string, () => Promise<unknown>>> = {
  idempotentTransaction: idempotentTransaction(async (tx: pg.PoolClient) => {
    await pay(tx);
    return 'paid';
  }, common as never) as () => Promise<unknown>,
  transact: idempotent(
    async (_: unknown, { transact }: IdempotencyHandle<SqlItem<pg.PoolClient>>) => {
      await transact([pay], 'paid');
      return 'paid';
    },
    { ...common, passHandle: true, leaseMillis: 2000, clockSkewMillis: 0 },
  ) as never,
};

const answer = await ways[way]?.call(undefined, ...((way === 'transact' ? [1] : []) as []));
process.send?.({ answer, places: places() });
await pool.end();
process.disconnect();
