import { IdempotencyError, type IdempotencyEvent, type IdempotencyHandle, type RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { deferred, newOrder, thrownBy, useGuards, VirtualClock } from '../../support/harness.ts';

/** A write of the caller: to an account, or one that is refused. */
type Item = { readonly account: string; readonly refusal?: unknown };
type Transact = NonNullable<RecordStore<Item>['transact']>;
type Handle = IdempotencyHandle<Item>;
type Body = (handle: Handle) => Promise<unknown>;

let booked: string[] = [];
let tokens: string[] = [];
let records = memoryStore<Item>();
const guards = useGuards(() => records);
beforeEach(() => {
  records = memoryStore({ apply });
  booked = [];
  tokens = [];
});

function apply(items: readonly Item[]): void {
  for (const item of items) if ('refusal' in item) throw item.refusal;
  booked.push(...items.map(({ account }) => account));
}

/** The records, whose transactions and answers pass through `around`. */
function accounts(around: (apply: () => ReturnType<Transact>) => ReturnType<Transact> = (apply) => apply()) {
  const transact: Transact = (record, expected, items, token) =>
    around(async () => {
      tokens.push(token);
      return records.transact?.(record, expected, items, token) ?? expect.fail('no transactions');
    });
  return { ...records, transact };
}

const lostAnswer = new IdempotencyError('STORE_UNAVAILABLE', 'the answer was lost', { retryable: true });
const noAccess = new IdempotencyError('STORE_UNAVAILABLE', 'no access', { retryable: false });

/** A guarded function on these accounts, in virtual time. */
function guarded(body: Body, store: RecordStore<Item> = accounts(), options: object = {}) {
  const clock = new VirtualClock();
  const call = guards.idempotent(
    (_order: object, handle: Handle) => body(handle),
    { store, passHandle: true, ...options },
    clock,
  ) as (order: object) => Promise<unknown>;
  return { call, clock };
}

const pay: Body = async ({ transact }) => {
  await transact([{ account: 'a' }, { account: 'b' }], 'paid');
  return 'paid';
};

describe('transact', () => {
  it('writes the items and the outcome at once, and ends the lease', async () => {
    const order = newOrder();
    const { call } = guarded(async (handle) => {
      await pay(handle);
      expect(await records.read(handle.id)).toMatchObject({
        status: 'COMPLETED',
        revision: 1,
        outcome: { type: 'RETURNED', json: '"paid"' },
      });
      return 'paid';
    });
    expect([await call(order), await call(order)]).toEqual(['paid', 'paid']);
    expect(booked).toEqual(['a', 'b']);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  it.each([
    ['its items', () => Promise.resolve({ done: false, itemsError: new Error('refused') } as const)],
    ['the store', () => Promise.reject(noAccess)],
  ])('that %s refuses does not forget the response that complete has stored meanwhile', async (_, refuse) => {
    const answered = deferred();
    const store = accounts(async () => {
      tokens.push('any');
      await answered.promise;
      return refuse();
    });
    const { call } = guarded(async ({ transact, complete }) => {
      const refused = thrownBy(transact([{ account: 'a' }], 'paid'));
      await complete('stored');
      answered.resolve();
      expect(await refused).toBeInstanceOf(Error);
      tokens.length = 0;
      return (await thrownBy(transact([{ account: 'b' }], 'paid again'))) as Error;
    }, store);
    await thrownBy(call(newOrder()));
    expect(tokens).toEqual([]);
  });

  it('is tried again under one token while its answers are lost, and has its effect once', async () => {
    let losses = 3;
    const store = accounts(async (apply) => {
      const answer = await apply();
      if (losses-- > 0) throw lostAnswer;
      return answer;
    });
    expect(await guarded(pay, store).call(newOrder())).toBe('paid');
    expect(booked).toEqual(['a', 'b']);
    expect(tokens).toHaveLength(4);
    expect(new Set(tokens).size).toBe(1);
  });

  it('hands a refusal of the items to the handler, which may go on with others', async () => {
    const refusal = new Error('the account is closed');
    const { call } = guarded(async ({ transact }) => {
      expect(await thrownBy(transact([{ account: 'a', refusal }], 'never'))).toBe(refusal);
      await transact([{ account: 'b' }], 'instead');
      return 'instead';
    });
    const order = newOrder();
    expect([await call(order), await call(order)]).toEqual(['instead', 'instead']);
    expect(booked).toEqual(['b']);
    expect(new Set(tokens).size).toBe(2);
  });

  it('a refusal that is undefined is one all the same', async () => {
    const { call } = guarded(async ({ transact }) => {
      await transact([{ account: 'a', refusal: undefined }], 'never').then(
        () => expect.fail('it was refused'),
        (error) => expect(error).toBeUndefined(),
      );
      return 'gone on';
    });
    expect(await call(newOrder())).toBe('gone on');
  });

  it('that was refused for good has written nothing: the handler may complete instead', async () => {
    let refusals = 0;
    const store = accounts(async () => {
      refusals++;
      throw noAccess;
    });
    const { call } = guarded(async ({ transact, complete }) => {
      expect(await thrownBy(transact([{ account: 'a' }], 'never'))).toMatchObject({
        code: 'STORE_UNAVAILABLE',
        retryable: false,
      });
      await complete('instead');
      throw new Error('after the point of no return');
    }, store);
    const order = newOrder();
    await thrownBy(call(order));
    expect(await call(order)).toBe('instead');
    expect(refusals).toBe(3);
  });

  it('that got no answer is known to the record alone: no other one is begun', async () => {
    const { call } = guarded(
      async ({ transact, complete }) => {
        const error = await thrownBy(transact([{ account: 'a' }], 'paid'));
        expect(error).toMatchObject({
          code: 'STORE_UNAVAILABLE',
          message: expect.stringContaining('brought to its end'),
        });
        expect(await thrownBy(transact([{ account: 'b' }], 'again'))).toMatchObject({
          name: 'TypeError',
          message: expect.stringMatching(/^transact\(items, response\): the outcome is, or may be, stored already/),
        });
        await complete('completed');
        expect(await thrownBy(transact([{ account: 'c' }], 'again'))).toBeInstanceOf(TypeError);
        return 'completed';
      },
      accounts(async () => {
        throw lostAnswer;
      }),
      { leaseMillis: 120_000 },
    );
    expect(await call(newOrder())).toBe('completed');
    expect(booked).toEqual([]);
  });

  it('is refused while another one is under way, and while a completion is', async () => {
    const { call } = guarded(async ({ transact, complete }) => {
      const [first, second, third] = await Promise.allSettled([
        transact([{ account: 'a' }], 'first'),
        transact([{ account: 'b' }], 'second'),
        complete('third'),
      ]);
      expect([first.status, second.status, third.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      return 'ended';
    });
    expect(await call(newOrder())).toBe('ended');
    expect(booked).toEqual(['a']);
  });

  it('that the handler did not wait for is waited for: its outcome is not released', async () => {
    const applied = deferred();
    const answered = deferred();
    const store = accounts(async (apply) => {
      applied.resolve();
      await answered.promise;
      return apply();
    });
    const { call } = guarded(async ({ transact }) => {
      void transact([{ account: 'a' }], 'paid');
      await applied.promise;
      answered.resolve();
      throw new Error('thrown meanwhile');
    }, store);
    const order = newOrder();
    expect(await thrownBy(call(order))).toMatchObject({ message: 'thrown meanwhile' });
    expect(await call(order)).toBe('paid');
    expect(booked).toEqual(['a']);
  });

  it('is LEASE_LOST when the record is somebody else’s: nothing is written, and nothing begins any more', async () => {
    const order = newOrder();
    const { call } = guarded(async ({ id, signal, step, transact }) => {
      const mine = await records.read(id);
      if (mine?.status !== 'IN_PROGRESS') return expect.fail('the record is not mine');
      const { owner, status } = mine;
      await records.replace({ ...mine, owner: 'another', attempt: 2 }, { owner, status });
      const error = await thrownBy(transact([{ account: 'a' }], 'paid'));
      expect(error).toMatchObject({ code: 'LEASE_LOST' });
      expect(signal.aborted).toBe(true);
      expect(signal.reason).toMatchObject({ code: 'LEASE_LOST' });
      const begun = vi.fn();
      expect(await thrownBy(step('next', begun))).toMatchObject({ code: 'LEASE_LOST' });
      expect(begun).not.toHaveBeenCalled();
      throw error;
    });
    expect(await thrownBy(call(order))).toMatchObject({ code: 'LEASE_LOST' });
    expect(booked).toEqual([]);
    expect(guards.eventTypes()).toEqual(['claimed', 'leaseLost']);
  });

  it('whose response the store refuses is refused, not completed without it', async () => {
    const tooLarge = new IdempotencyError('STORE_UNAVAILABLE', 'too large', { retryable: false, recordRefused: true });
    const { call } = guarded(
      async ({ transact }) => transact([{ account: 'a' }], 'paid'),
      accounts(async () => {
        throw tooLarge;
      }),
    );
    expect(await thrownBy(call(newOrder()))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(booked).toEqual([]);
    expect(guards.eventTypes()).toEqual(['claimed', 'released']);
  });

  it.each([[[]], [undefined], ['a'], [{ length: 1 }]])('refuses %j instead of items', async (items) => {
    const { call } = guarded(({ transact }) => transact(items as never, 'paid'));
    expect(await thrownBy(call(newOrder()))).toMatchObject({
      name: 'TypeError',
      message: 'transact(items, response): items must be a list of writes',
    });
    expect(tokens).toEqual([]);
  });

  it('is refused once the execution has ended, and asks nobody', async () => {
    let late: (() => Promise<void>) | undefined;
    const { call } = guarded(async ({ transact }) => {
      late = () => transact([{ account: 'a' }], 'late');
      return 'returned';
    });
    await call(newOrder());
    expect(await thrownBy(late?.() ?? Promise.resolve())).toMatchObject({ code: 'LEASE_LOST' });
    expect(tokens).toEqual([]);
  });

  it('says which stores have transactions', async () => {
    const { transact: _, ...store } = records;
    const { call } = guarded(pay, store);
    expect(await thrownBy(call(newOrder()))).toMatchObject({
      name: 'TypeError',
      message: 'transact(items, response): this store has no transactions',
    });
  });

  it('keeps nothing in the cache that another attempt could still amend', async () => {
    const found: IdempotencyEvent[] = [];
    const { call } = guarded(
      async (handle) => {
        await pay(handle);
        return 'amended';
      },
      accounts(),
      { cache: { maxEntries: 9 }, onEvent: (event: IdempotencyEvent) => void found.push(event) },
    );
    const order = newOrder();
    expect([await call(order), await call(order)]).toEqual(['amended', 'amended']);
    expect(found.at(-1)).toMatchObject({ type: 'replayed', fromCache: true });
  });
});

describe('a transaction that is refused', () => {
  it('says nothing of how long a later outcome is kept', async () => {
    const executions = vi.fn();
    const { call, clock } = guarded(
      async (handle) => {
        executions();
        const refused = new Error('no money');
        expect(await thrownBy(handle.transact([{ account: 'a', refusal: refused }], 'paid'))).toBe(refused);
        await handle.extend(60_000);
        clock.advance(30_000);
        return 'declined';
      },
      accounts(),
      { retentionSeconds: 10, leaseMillis: 1000 },
    );
    const order = newOrder();
    expect(await call(order)).toBe('declined');
    clock.advance(8000);
    expect(await call(order)).toBe('declined');
    expect(executions).toHaveBeenCalledTimes(1);
  });
});
