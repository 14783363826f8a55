import pg from 'pg';
import { type IdempotencyHandle, idempotent } from '../../src/index.ts';
import { idempotentTransaction, postgresStore, type SqlItem } from '../../src/stores/postgres.ts';

/**
 * A process that pays once, and is killed at a place: before or after a statement that it sends. Its arguments: the URL, the way,
 * the key, and the place, or nothing.
 */
const [, , url = '', way = '', key = '', place = ''] = process.argv;

let places = 0;
/** SIGKILL: nothing of this process runs any more. */
const reach = () => {
  if (++places === Number(place)) process.kill(process.pid, 'SIGKILL');
};

class KilledClient extends pg.Client {
  override query(...args: unknown[]): never {
    reach();
    const answer = Reflect.apply(super.query, this, args) as Promise<unknown> | undefined;
    return answer?.then?.((value) => {
      reach();
      return value;
    }) as never;
  }
}

const pool = new pg.Pool({ connectionString: url, max: 2, Client: KilledClient as never });
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

// A sealed statement of a pool goes through its client, so that it is counted, too.
const answer = await ways[way]?.call(undefined, ...((way === 'transact' ? [1] : []) as []));
process.send?.({ answer, places });
await pool.end();
process.disconnect();
