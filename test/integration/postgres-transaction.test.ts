import { randomUUID } from 'node:crypto';
import { type IdempotencyHandle, idempotent, idempotentTransaction as planned } from 'middy-idempotency';
import { idempotentTransaction, type SqlItem } from 'middy-idempotency/postgres';
import type { PoolClient } from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { deferred, lambdaContext, newOrder, type Order, thrownBy } from '../support/harness.ts';
import { useSql, type Work } from '../support/sql-harness.ts';

const sql = useSql();
const { proxy, write, count } = sql;

const paying: Work = async (tx, _, { id }: Order) => {
  await write(tx, String(id));
  return { paid: id };
};
const types = () => sql.events.map(({ type }) => type);
const isCommit = (sent: Buffer) => sent.includes('commit\0');

describe('idempotentTransaction of PostgreSQL', () => {
  it('does a request exactly once, and gives a retry its response', async () => {
    const work = vi.fn(paying);
    const pay = sql.transaction(work);
    const order = newOrder();
    expect([await pay(order), await pay(order)]).toEqual([{ paid: order.id }, { paid: order.id }]);
    expect(await count(order.id)).toBe(1);
    expect(work).toHaveBeenCalledTimes(1);
    expect(types()).toEqual(['completed', 'replayed']);
  });

  it('has one effect, and one answer for all, when twenty come at the same time', async () => {
    let made = 0;
    const pay = sql.transaction(async (tx, _, { id }: Order) => {
      await write(tx, String(id));
      return { made: ++made };
    });
    const order = newOrder();
    const answers = await Promise.all(Array.from({ length: 20 }, () => pay(order)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set(['{"made":1}']));
    expect(await count(order.id)).toBe(1);
  });

  it('is IN_FLIGHT for a duplicate, after lockTimeoutMillis, and waits longer by option', async () => {
    const [begun, end] = [deferred(), deferred()];
    const slow: Work = async (tx, _, { id }: Order) => {
      await write(tx, String(id));
      begun.resolve();
      await end.promise;
      return 'slow';
    };
    const store = sql.storeOf(sql.pool, { lockTimeoutMillis: 50 });
    const order = newOrder();
    const first = sql.transaction(slow, { store })(order);
    await begun.promise;
    expect(await thrownBy(sql.transaction(slow, { store })(order))).toMatchObject({
      code: 'IN_FLIGHT',
      retryAfterMillis: 1000,
    });
    // The claiming guard meets the same lock.
    const claiming = idempotent(async ({ id }: Order) => id, { store, key: 'id', operation: 'test' });
    expect(await thrownBy(claiming(order))).toMatchObject({ code: 'IN_FLIGHT' });
    const waiting = sql.transaction(slow, { store, onInFlight: { waitMillis: 20_000 } })(order);
    await vi.waitFor(() => expect(types()).toContain('waiting'));
    end.resolve();
    expect([await first, await waiting]).toEqual(['slow', 'slow']);
    expect(await count(order.id)).toBe(1);
  });

  it('of another payload is KEY_REUSED, and has no effect', async () => {
    const pay = sql.transaction(paying);
    const order = newOrder();
    await pay(order);
    expect(await thrownBy(pay({ ...order, amount: 11 }))).toMatchObject({ code: 'KEY_REUSED' });
    expect(await count(order.id)).toBe(1);
  });

  it('rolls back what the work wrote when it throws, throws the same, and records nothing', async () => {
    const own = new Error('no funds');
    let hasFunds = false;
    const pay = sql.transaction(async (tx, context, order: Order) => {
      const paid = await paying(tx, context, order as never);
      if (!hasFunds) throw own;
      return paid;
    });
    const order = newOrder();
    expect(await thrownBy(pay(order))).toBe(own);
    expect(await count(order.id)).toBe(0);
    hasFunds = true;
    expect(await pay(order)).toEqual({ paid: order.id });
  });

  it('throws what PostgreSQL says of a statement of the work, also when the work has hidden it', async () => {
    const order = newOrder();
    const failing = (tx: Parameters<Work>[0]) => tx.query('insert into no_such_table values (1)');
    expect(await thrownBy(sql.transaction(failing)(order))).toMatchObject({ code: '42P01' });
    const hiding: Work = async (tx) => {
      await failing(tx).catch(() => undefined);
      return 'paid';
    };
    expect(await thrownBy(sql.transaction(hiding)(order))).toMatchObject({ code: '25P02' });
    expect(await sql.transaction(paying)(order)).toEqual({ paid: order.id });
  });

  it('throws what a constraint says that is checked at COMMIT', async () => {
    const table = `"deferred ${randomUUID()}"`;
    await sql.pool.query(`create table ${table} (name text unique deferrable initially deferred)`);
    const order = newOrder();
    const twice: Work = async (tx) => {
      await tx.query(`insert into ${table} values ('a'), ('a')`);
    };
    expect(await thrownBy(sql.transaction(twice)(order))).toMatchObject({ code: '23505' });
    expect(await sql.transaction(paying)(order)).toEqual({ paid: order.id });
    await sql.pool.query(`drop table ${table}`);
  });

  it('does the work again after a deadlock: both transactions are done, once each', async () => {
    const table = `"accounts ${randomUUID()}"`;
    await sql.pool.query(
      `create table ${table} as select * from (values ('a', 0), ('b', 0)) as account (name, balance)`,
    );
    const both = [deferred(), deferred()];
    const lock = (name: string) => `update ${table} set balance = balance + 1 where name = '${name}'`;
    const crossing =
      (index: 0 | 1, names: readonly string[]): Work =>
      async (tx) => {
        await tx.query(lock(names[0] as string));
        both[index]?.resolve();
        await both[1 - index]?.promise;
        await tx.query(lock(names[1] as string));
        return 'done';
      };
    // The deadlock is found before the locks time out.
    const store = sql.storeOf(sql.pool, { lockTimeoutMillis: 20_000 });
    const answers = await Promise.all([
      sql.transaction(crossing(0, ['a', 'b']), { store })(newOrder()),
      sql.transaction(crossing(1, ['b', 'a']), { store })(newOrder()),
    ]);
    expect(answers).toEqual(['done', 'done']);
    const { rows } = await sql.pool.query(`select balance::int from ${table} order by name`);
    expect(rows).toEqual([{ balance: 2 }, { balance: 2 }]);
    await sql.pool.query(`drop table ${table}`);
  });

  it('takes over a record that an execution of the claiming guard has released', async () => {
    const order = newOrder();
    const failing = idempotent(() => Promise.reject(new Error('down')), {
      store: sql.storeOf(sql.pool),
      key: 'id',
      operation: 'test',
    }) as (order: Order) => Promise<unknown>;
    expect(await thrownBy(failing(order))).toMatchObject({ message: 'down' });
    expect(await sql.transaction(paying)(order)).toEqual({ paid: order.id });
    expect(sql.events.at(-1)).toMatchObject({ type: 'completed', attempt: 2 });
  });

  it('replays from the cache, without a request', async () => {
    const pay = sql.transaction(paying, { cache: { maxEntries: 1 }, store: sql.storeOf(sql.throughProxy()) });
    const order = newOrder();
    await pay(order);
    proxy.decide = () => 'cut';
    expect(await pay(order)).toEqual({ paid: order.id });
  });

  it('refuses a store that is not in PostgreSQL, and a work that is no function', () => {
    const options = { store: sql.storeOf(sql.pool), key: 'id', operation: 'test' };
    expect(() => idempotentTransaction(1 as never, options as never)).toThrow('work must be a function');
    const { transactWork: _, ...other } = options.store;
    expect(() => idempotentTransaction(paying as never, { ...options, store: other } as never)).toThrow(
      'option `store`',
    );
  });
});

describe('a COMMIT whose answer is lost', () => {
  it.each([
    ['after PostgreSQL has done it', 'cut answer'],
    ['before PostgreSQL has it', 'cut'],
  ] as const)('%s is found out by the record: one effect, and the response', async (_, fate) => {
    let faults = 1;
    proxy.decide = (sent) => (isCommit(sent) && faults-- > 0 ? fate : 'pass');
    const pay = sql.transaction(paying, { store: sql.storeOf(sql.throughProxy()) });
    const order = newOrder();
    expect(await pay(order)).toEqual({ paid: order.id });
    expect(await count(order.id)).toBe(1);
    expect(types()).toEqual(['completed']);
  });

  it('at every try is STORE_UNAVAILABLE, and a retry finds out', async () => {
    proxy.decide = (sent) => (isCommit(sent) ? 'cut answer' : 'pass');
    let isDown = false;
    const client = sql.throughProxy();
    const order = newOrder();
    const pay = sql.transaction(
      async (tx, context, given: Order) => {
        isDown = true;
        return paying(tx, context, given as never);
      },
      { store: sql.storeOf(client) },
    );
    proxy.decide = (sent) =>
      isDown && !isCommit(sent) && sent.includes('set_config') ? 'cut' : isCommit(sent) ? 'cut answer' : 'pass';
    expect(await thrownBy(pay(order, lambdaContext(undefined, { remainingMillis: 1500 })))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('could not be brought to its end'),
    });
    proxy.decide = () => 'pass';
    expect(await pay(order)).toEqual({ paid: order.id });
    expect(await count(order.id)).toBe(1);
  });

  it('of transact is found out by the record, too', async () => {
    for (const fate of ['cut answer', 'cut'] as const) {
      let faults = 1;
      proxy.decide = (sent) => (isCommit(sent) && faults-- > 0 ? fate : 'pass');
      const order = newOrder();
      const pay = idempotent(
        async ({ id }: typeof order, { transact }: IdempotencyHandle<SqlItem<PoolClient>>) => {
          await transact([(tx) => write(tx, id)], { paid: id });
          return { paid: id };
        },
        { store: sql.storeOf(sql.throughProxy()), key: 'id', operation: 'test', passHandle: true },
      );
      expect([await pay(order), await pay(order)]).toEqual([{ paid: order.id }, { paid: order.id }]);
      expect(await count(order.id)).toBe(1);
    }
  });
});

describe('a connection that breaks while the work is running', () => {
  it('rolls back, and the work is done again', async () => {
    let faults = 1;
    proxy.decide = (sent) => (sent.includes('insert into "effects') && faults-- > 0 ? 'cut answer' : 'pass');
    const pay = sql.transaction(paying, { store: sql.storeOf(sql.throughProxy()) });
    const order = newOrder();
    expect(await pay(order)).toEqual({ paid: order.id });
    expect(await count(order.id)).toBe(1);
  });

  it('and stays broken is STORE_UNAVAILABLE, with nothing written', async () => {
    proxy.decide = (sent) => (sent.includes('insert into "effects') ? 'cut' : 'pass');
    const pay = sql.transaction(paying, { store: sql.storeOf(sql.throughProxy()) });
    const order = newOrder();
    expect(await thrownBy(pay(order, lambdaContext(undefined, { remainingMillis: 1000 })))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      unanswered: true,
    });
    expect(await count(order.id)).toBe(0);
  });
});

describe('idempotentTransaction of the package, with functions as items', () => {
  it('does a request exactly once', async () => {
    const plan = (_: unknown, { id }: Order) => ({
      items: [(tx: Parameters<Work>[0]) => write(tx, String(id))],
      response: { paid: id },
    });
    const pay = planned(plan, { store: sql.storeOf(sql.pool), key: 'id', operation: 'planned' });
    const order = newOrder();
    expect(await Promise.all([pay(order), pay(order), pay(order)])).toEqual(Array(3).fill({ paid: order.id }));
    expect(await count(order.id)).toBe(1);
  });
});
