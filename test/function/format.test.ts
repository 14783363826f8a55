import { runInNewContext } from 'node:vm';
import type { IdempotencyHandle } from 'middy-idempotency';
import { describe, expect, it, vi } from 'vitest';
import { functionFormat } from '../../src/function/format.ts';
import { newOrder, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();

class Receipt {
  readonly #number = 4711;
  get number() {
    return this.#number;
  }
}
class Line {
  readonly id = '1';
}
const counter = () => {
  let count = 1;
  return { next: () => count++ };
};

describe('what JSON would empty in silence', () => {
  it.each<[string, unknown]>([
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    ['an Error', new Error('declined')],
    ['an instance with private fields', new Receipt()],
    ['an object of functions', counter()],
    ['an empty Map', new Map()],
    ['a Map of another realm', runInNewContext('new Map([[1, 2]])')],
    ['a Map in an object', { paid: true, lines: new Map([['a', 1]]) }],
    ['an Error in a list, as of Promise.allSettled', [{ status: 'rejected', reason: new Error('declined') }]],
    ['an instance deep inside', { a: [{ b: { c: new Receipt() } }] }],
    ['what a toJSON answers', { toJSON: () => new Set([1]) }],
    ['bytes', { file: new ArrayBuffer(8) }],
  ])('reaches the first caller as the function returned it, and a retry is refused: %s', async (_, result) => {
    const charge = vi.fn(async (_order: object) => result);
    const chargeOnce = guards.idempotent((order: object) => charge(order));
    const order = newOrder();
    expect(await chargeOnce(order)).toBe(result);
    expect(guards.events.at(-1)).toMatchObject({ type: 'completed', notReplayable: expect.any(String) });
    expect(await thrownBy(chargeOnce(order))).toMatchObject({
      code: 'RESPONSE_NOT_REPLAYABLE',
      advice:
        'There is no response to replay because JSON has an empty object in place of an instance or of functions.',
    });
    expect(charge).toHaveBeenCalledTimes(1);
  });

  it.each<[string, unknown]>([
    ['an empty object', {}],
    ['an empty object in a list', [{}]],
    ['an object of another realm', runInNewContext('({ a: {} })')],
    ['an object without a prototype', { a: Object.create(null) }],
    ['an object whose members are absent', { note: undefined }],
    ['a text with braces', { body: '{}' }],
    ['an instance with public fields', { line: new Line(), note: {} }],
    ['a method beside data', { id: 1, note: {}, print: () => 'id' }],
    ['a Date and a Buffer', { at: new Date(0), bytes: Buffer.from('a'), note: {} }],
    ['a boxed number', { amount: Object(1), note: {} }],
    ['an instance that says what it is', { sum: { toJSON: () => ({}) }, url: new URL('https://a.example'), note: {} }],
    ['nothing', undefined],
  ])('is not this: %s is replayed', async (_, result) => {
    const once = guards.idempotent(async (_order: object) => result);
    const order = newOrder();
    const first = await once(order);
    expect(first).toStrictEqual(result === undefined ? undefined : JSON.parse(JSON.stringify(result)));
    expect(await once(order)).toStrictEqual(first);
  });

  it('is not replayable after complete, and reaches the caller as it was', async () => {
    const result = new Map([['a', 1]]);
    const once = guards.idempotent(
      async (_order: object, { complete }: IdempotencyHandle) => {
        await complete(result);
        return result;
      },
      { passHandle: true },
    ) as (order: object) => Promise<unknown>;
    const order = newOrder();
    expect(await once(order)).toBe(result);
    expect(await thrownBy(once(order))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
  });

  it('reaches the caller of an unguarded execution as it was', async () => {
    const result = new Set([1]);
    const once = guards.idempotent(async (_order: object) => result, { onMissingKey: 'run' });
    expect(await once({ id: null })).toBe(result);
  });

  it('is not looked for where JSON has no empty object: a result becomes JSON once', () => {
    const toJSON = vi.fn(() => ({ id: 1 }));
    functionFormat.encode({ kind: 'returned', value: { toJSON } });
    expect(toJSON).toHaveBeenCalledTimes(1);
  });

  it('is assumed of what cannot be looked at twice', () => {
    let looks = 0;
    const value = {
      note: {},
      get once() {
        if (looks++ > 0) throw new Error('once');
        return 1;
      },
    };
    const outcome = { kind: 'returned', value } as const;
    const encoded = functionFormat.encode(outcome);
    expect(encoded.stored).toMatchObject({ type: 'NOT_REPLAYABLE' });
    expect(encoded.outcome === outcome).toBe(true);
  });
});
