import { randomBytes } from 'node:crypto';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { describe, expect, it, vi } from 'vitest';
import type { IdempotencyRecord } from '../../src/core/record/record.ts';
import { type Body, handling, useExecutions } from '../support/execution-harness.ts';
import { deferred, newOrder, type Order, thrownBy } from '../support/harness.ts';
import { localClient } from '../support/table.ts';

const { guards, proxy } = useExecutions();

const PARTS = 1689;
/** A longer text would have an item of its own. */
const MAX_LAST = 230;

/** Checkpoints of an earlier attempt: parts that are too short for items of their own, and one of the given length. */
const checkpoints = (last: number, count: number) => {
  const parts = Array.from({ length: count }, (_, index) => [`part ${index}`, `{"result":"${'x'.repeat(220)}"}`]);
  return { ...Object.fromEntries(parts), last: `{"result":"${'x'.repeat(last)}"}` };
};

/** The record of a request whose first attempt has failed, and a way to write over it. */
async function failedOnce(order: Order) {
  let id = '';
  const body: Body = async (handle) => {
    id = handle.id;
    throw new Error('the first attempt');
  };
  await thrownBy(guards.guarded({ handler: handling(body) })(order));
  let now = (await guards.store.read(id)) as IdempotencyRecord;
  return async (
    next: { status: 'RELEASED' } | { status: 'IN_PROGRESS'; leaseUntil: number },
    last: number,
    count = PARTS,
  ) => {
    const record = { ...now, ...next, checkpoints: checkpoints(last, count) } as IdempotencyRecord;
    await guards.store.replace(record, { owner: now.owner, status: now.status });
    now = record;
  };
}

/** The longest last checkpoint with which the record of a running execution fits into an item. */
async function longestThatFits(write: Awaited<ReturnType<typeof failedOnce>>): Promise<number> {
  let [fits, tooLong] = [0, MAX_LAST];
  while (tooLong - fits > 1) {
    const last = Math.floor((fits + tooLong) / 2);
    const refused = await thrownBy(write({ status: 'IN_PROGRESS', leaseUntil: guards.clock.now() }, last));
    if (refused === undefined) fits = last;
    else tooLong = last;
  }
  expect(fits).toBeGreaterThan(60);
  expect(fits).toBeLessThan(MAX_LAST - 1);
  return fits;
}

describe('a nearly full record never repeats the effect of a step', () => {
  it.each([
    [0, 'an id', 'ch_3OaXyzKq'],
    [12, 'an id', 'ch_3OaXyzKq'],
    [30, 'an id', 'ch_3OaXyzKq'],
    [45, 'more than it can hold', 'x'.repeat(900)],
  ])('with %i bytes left, and a step that returns %s', async (left, _, result) => {
    const order = newOrder();
    const write = await failedOnce(order);
    await write({ status: 'RELEASED' }, (await longestThatFits(write)) - left);
    const charge = vi.fn(async () => result);
    const body: Body = async ({ step }) => {
      await step('charge', charge);
      throw new Error('the mail could not be sent');
    };
    const call = guards.guarded({ handler: handling(body) });
    for (let attempt = 0; attempt < 4; attempt++) expect(await thrownBy(call(order))).toBeInstanceOf(Error);
    expect(charge.mock.calls.length).toBeLessThanOrEqual(1);
  });

  it('that an attempt has taken over by a write whose answer was lost', async () => {
    const order = newOrder();
    const write = await failedOnce(order);
    await write({ status: 'RELEASED' }, (await longestThatFits(write)) - 12);
    const charge = vi.fn(async () => 'ch_3OaXyzKq');
    const body: Body = async ({ step }) => step('charge', charge);
    const store = dynamoDBStore({ ...guards.table, client: localClient({ endpoint: proxy.endpoint }) });
    const call = guards.guarded({ handler: handling(body), options: { store } });
    for (let attempt = 0; attempt < 3; attempt++) {
      let claims = 0;
      proxy.decide = ({ body }) =>
        body.includes('"IN_PROGRESS"') && !body.includes('not_exists') && claims++ === 0 ? 'lose answer' : 'pass';
      expect(await thrownBy(call(order))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    }
    expect(charge).not.toHaveBeenCalled();
  });

  it('that another step fills while it runs', async () => {
    const order = newOrder();
    const write = await failedOnce(order);
    // There is room for the step, and for two of the three others.
    await write({ status: 'RELEASED' }, await longestThatFits(write), PARTS - 3);
    const isFilled = deferred();
    const charge = vi.fn(async () => {
      await isFilled.promise;
      return 'ch_3OaXyzKq';
    });
    const body: Body = async ({ step }) => {
      const charging = step('charge', charge);
      for (const receipt of ['one', 'two', 'three']) await thrownBy(step(receipt, async () => 'x'.repeat(220)));
      isFilled.resolve();
      await charging;
      throw new Error('the mail could not be sent');
    };
    const call = guards.guarded({ handler: handling(body) });
    for (let attempt = 0; attempt < 4; attempt++) expect(await thrownBy(call(order))).toBeInstanceOf(Error);
    expect(charge).toHaveBeenCalledTimes(1);
  });

  it('that its own steps have filled', async () => {
    const charges: string[] = [];
    const body: Body = async ({ step }) => {
      for (let index = 0; index < 6; index++) {
        await step(`charge ${index}`, async () => {
          charges.push(`charge ${index}`);
          return randomBytes(60_000).toString('base64');
        });
      }
      return 'done';
    };
    const call = guards.guarded({ handler: handling(body) });
    const order = newOrder();
    for (let attempt = 0; attempt < 4; attempt++) await thrownBy(call(order));
    expect(charges).toEqual([...new Set(charges)]);
  });
});
