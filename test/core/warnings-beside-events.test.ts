import middy from '@middy/core';
import { IdempotencyError, type IdempotencyEvent, idempotent, type RecordStore } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { lambdaContext, newOrder, type Order } from '../support/harness.ts';
import { SHAPES } from '../support/http-events.ts';

const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
beforeEach(() => warn.mockClear());
afterAll(() => warn.mockRestore());

const noTable = () =>
  Promise.reject(
    new IdempotencyError('STORE_UNAVAILABLE', 'Retry later.', {
      retryable: false,
      advice: "There is no table 'nope'.",
    }),
  );
const without = (verb: 'insert' | 'replace'): RecordStore => ({ ...memoryStore(), [verb]: noTable });

/** As in metrics that count what was saved, and nothing else. */
function countingReplays() {
  let replays = 0;
  return ({ type }: IdempotencyEvent) => {
    if (type === 'replayed') replays++;
    return replays;
  };
}

const said = () => warn.mock.calls.map(([message]) => String(message));

describe('an onEvent that only counts replays silences no warning:', () => {
  const event = SHAPES[1]?.event({ method: 'POST', headers: [['idempotency-key', 'a']], body: '{}' });
  const post = (options: { store: RecordStore; scope?: 'anonymous' }) =>
    middy()
      .use(httpIdempotency({ ...options, operation: 'pay', onEvent: countingReplays() }))
      .handler(async () => ({ statusCode: 201 }))(event as never, lambdaContext() as never);

  it('a table that is not there', async () => {
    expect(await post({ store: without('insert'), scope: 'anonymous' })).toMatchObject({ statusCode: 503 });
    expect(said()).toEqual([expect.stringContaining("There is no table 'nope'.")]);
  });

  it('an authorizer that is missing', async () => {
    expect(await post({ store: memoryStore() })).toMatchObject({ statusCode: 500 });
    expect(said()).toEqual([expect.stringContaining('Is the authorizer missing?')]);
  });

  it('an outcome that could not be stored', async () => {
    const options = { store: without('replace'), operation: 'charge', key: 'id', onEvent: countingReplays() };
    expect(await idempotent(async (_: Order) => 'charged', options)(newOrder())).toBe('charged');
    expect(said()).toEqual([expect.stringContaining('completionFailed')]);
  });

  it('and one that throws silences none either', async () => {
    const onEvent = () => {
      throw new Error('no metrics');
    };
    const options = { store: without('replace'), operation: 'charge', key: 'id', onEvent };
    expect(await idempotent(async (_: Order) => 'charged', options)(newOrder())).toBe('charged');
    expect(said()).toEqual([expect.stringContaining('completionFailed')]);
  });
});
