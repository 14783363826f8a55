import { IdempotencyError, idempotent, type RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it, vi } from 'vitest';
import { newOrder, type Order, thrownBy } from './support/harness.ts';
import { SHAPES, type TestRequest } from './support/http-events.ts';
import { useApi } from './support/http-harness.ts';

vi.resetModules();
const copy: typeof import('../src/errors.ts') = await import('../src/errors.ts');
const fail = (code: 'STORE_UNAVAILABLE' | 'RECORD_INVALID', details: object) => () =>
  Promise.reject(new copy.IdempotencyError(code, 'refused', details));

describe('a store of another copy of this package', () => {
  const api = useApi();
  const [, shape] = SHAPES;
  const request: TestRequest = {
    headers: [['idempotency-key', 'a']],
    body: '{}',
    authorizer: { iam: { userArn: 'a' } },
  };

  it('throws errors that are recognised', () => {
    const error = new copy.IdempotencyError('IN_FLIGHT', 'wait');
    expect(copy.IdempotencyError).not.toBe(IdempotencyError);
    expect(error).toBeInstanceOf(IdempotencyError);
    for (const other of [new Error('no'), null, undefined, 'text', {}])
      expect(other).not.toBeInstanceOf(IdempotencyError);
    class Special extends IdempotencyError {}
    expect(error).not.toBeInstanceOf(Special);
    expect(new Special('IN_FLIGHT', 'wait')).toBeInstanceOf(Special);
    expect(Object.keys(error)).not.toContain('middy-idempotency.IdempotencyError');
  });

  it.each([
    ['that there is no table', 503, fail('STORE_UNAVAILABLE', { retryable: false })],
    ['that the item is no record', 500, fail('RECORD_INVALID', {})],
  ])('says %s, and nothing is executed unguarded', async (_, status, insert) => {
    const handler = vi.fn(() => ({ statusCode: 201 }));
    const store: RecordStore = { ...memoryStore(), insert };
    const call = api.api({ ...(shape && { shape }), handler, options: { store, onStoreError: 'run' } });
    expect(await call(request)).toMatchObject({ statusCode: status });
    expect(handler).not.toHaveBeenCalled();
  });

  it('refuses an outcome for good, and the work is not done again', async () => {
    const real = memoryStore();
    const refuses = fail('STORE_UNAVAILABLE', { retryable: false, recordRefused: true });
    const replace: RecordStore['replace'] = (record, expected) =>
      record.status === 'COMPLETED' && record.outcome.type === 'RETURNED' ? refuses() : real.replace(record, expected);
    const charge = vi.fn(async (order: Order) => `charged ${order.id}`);
    const chargeOnce = idempotent(charge, { store: { ...real, replace }, operation: 'charge', key: 'id' });
    const order = newOrder();
    expect(await chargeOnce(order)).toBe(`charged ${order.id}`);
    expect(await thrownBy(chargeOnce(order))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
    expect(charge).toHaveBeenCalledTimes(1);
  });
});
