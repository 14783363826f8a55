import { type IdempotencyHandle, idempotent } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { thrownBy } from '../support/harness.ts';
import { describeStore } from './conformance.ts';

const written = new Set<string>();
const closed = new Error('the account is closed');
beforeEach(() => written.clear());

/** An account that is opened, or one that is closed. */
type Item = { readonly account: string };
const apply = (items: readonly Item[]) => {
  if (items.some(({ account }) => account === 'closed')) throw closed;
  for (const { account } of items) written.add(account);
};

describeStore('memory', () => memoryStore());
describeStore<Item>('memory, with transactions', () => memoryStore({ apply }), {
  transactions: {
    write: (account) => ({ account }),
    refused: () => ({ account: 'closed' }),
    isWritten: (account) => written.has(account),
  },
});

describe('transact on memoryStore', () => {
  let executions = 0;
  const charge = async ({ account }: Item, { transact }: IdempotencyHandle<Item>) => {
    executions++;
    await transact([{ account }], 'charged');
    return 'charged';
  };
  const options = { operation: 'charge', key: 'account', passHandle: true, warnings: false } as const;
  beforeEach(() => {
    executions = 0;
  });

  it('runs `apply`, and a retry gets the response', async () => {
    const chargeOnce = idempotent(charge, { ...options, store: memoryStore({ apply }) });
    expect([await chargeOnce({ account: 'a' }), await chargeOnce({ account: 'a' })]).toEqual(['charged', 'charged']);
    expect(executions).toBe(1);
    expect([...written]).toEqual(['a']);
  });

  it('throws what `apply` throws: nothing is written, and a retry executes', async () => {
    const chargeOnce = idempotent(charge, { ...options, store: memoryStore({ apply }) });
    expect(await thrownBy(chargeOnce({ account: 'closed' }))).toBe(closed);
    expect(await thrownBy(chargeOnce({ account: 'closed' }))).toBe(closed);
    expect(executions).toBe(2);
  });

  it('says how to pass `apply` where there is none', async () => {
    const chargeOnce = idempotent(charge, { ...options, store: memoryStore<Item>() });
    expect(await thrownBy(chargeOnce({ account: 'a' }))).toMatchObject({
      name: 'TypeError',
      message: 'transact needs memoryStore({ apply: (items) => … }), which writes them',
    });
  });

  it('refuses an `apply` that answers a promise: the record would be written before its effect', async () => {
    const failing = async () => {
      throw closed;
    };
    const chargeOnce = idempotent(charge, { ...options, store: memoryStore({ apply: failing }) });
    expect(await thrownBy(chargeOnce({ account: 'a' }))).toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining('`apply` must be synchronous'),
    });
  });
});

it.each([
  ['apply', 'insert', 'must be a function'],
  ['aply', () => undefined, 'is not known. Known are apply'],
])('a wrong option `%s` of memoryStore is refused at construction', (name, value, problem) => {
  expect(() => memoryStore({ [name]: value })).toThrow(`option \`${name}\`: ${problem}`);
});
