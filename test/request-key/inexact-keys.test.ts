import { idempotent } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it, vi } from 'vitest';
import { thrownBy } from '../support/harness.ts';

/** Guards orders in a body, which the guard parses, and answers how often orders were placed. */
function guardedBy(options: { readonly key: string; readonly fingerprint?: string }) {
  const place = vi.fn(async (_event: { readonly body: string }) => 'placed');
  const call = idempotent(place, { store: memoryStore(), operation: 'place', ...options });
  return { place, order: (body: string) => call({ body }) };
}

const inexact = [
  '{"user":"alice","amount":0.100000000000000001}',
  '{"user":"alice","amount":12345678.123456789012}',
  '{"user":"alice","amount":1e-400}',
  '{"user":"alice","amount":9007199254740993}',
];

describe('a number that a double cannot hold', () => {
  describe.each([
    'powertools_json(body).[user, amount]',
    'powertools_json(body).{user: user, amount: amount}',
    'powertools_json(body).amount',
    'powertools_json(body)',
  ])('is no key, where the guard parses the text: %s', (key) => {
    it.each(inexact)('%s', async (body) => {
      const { place, order } = guardedBy({ key });
      expect(await thrownBy(order(body))).toMatchObject({ code: 'KEY_INVALID', statusCode: 400 });
      expect(place).not.toHaveBeenCalled();
    });
  });

  it.each(inexact)('is no fingerprint either: %s', async (body) => {
    const { place, order } = guardedBy({
      key: 'powertools_json(body).user',
      fingerprint: 'powertools_json(body).amount',
    });
    expect(await thrownBy(order(body))).toMatchObject({ code: 'KEY_INVALID' });
    expect(place).not.toHaveBeenCalled();
  });

  it.each(inexact)('does not matter where it is not selected: %s', async (body) => {
    const { place, order } = guardedBy({ key: 'powertools_json(body).user' });
    expect([await order(body), await order(body)]).toEqual(['placed', 'placed']);
    expect(place).toHaveBeenCalledTimes(1);
  });
});

it.each([
  ['1', '1.0'],
  ['19.99', '1999e-2'],
  ['0.30000000000000004', '3.0000000000000004e-1'],
])('%s and %s are one key', async (one, other) => {
  const { place, order } = guardedBy({ key: 'powertools_json(body).amount' });
  for (const amount of [one, other]) expect(await order(`{"amount":${amount}}`)).toBe('placed');
  expect(place).toHaveBeenCalledTimes(1);
});

it('what arrives parsed is a key as it is', async () => {
  const place = vi.fn(async (_order: { readonly amount: number }) => 'placed');
  const call = idempotent(place, { store: memoryStore(), operation: 'place', key: 'amount' });
  for (const amount of [0.1, 0.1]) expect(await call({ amount })).toBe('placed');
  expect(place).toHaveBeenCalledTimes(1);
});
