import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { SHAPES, type TestRequest } from '../support/http-events.ts';
import { useApi } from '../support/http-harness.ts';

const harness = useApi();

describe.each(SHAPES)('behind $name, a key that comes again', (shape) => {
  async function twice(first: string, second: string, base64 = false) {
    const handler = vi.fn(async () => ({ statusCode: 201, body: randomUUID() }));
    const call = harness.api({ shape, handler });
    const headers = [
      ['Idempotency-Key', randomUUID()],
      ['Content-Type', 'application/json'],
    ] as const;
    const post = (body: string): TestRequest => ({ body, headers, base64 });
    const answers = [await call(post(first)), await call(post(second))];
    return { statuses: answers.map(({ statusCode }) => statusCode), executions: handler.mock.calls.length };
  }

  it.each([
    ['0.100000000000000001', '0.100000000000000002'],
    ['12345678.123456789012', '12345678.123456789013'],
    ['1e-400', '0'],
    ['9007199254740993', '9007199254740992'],
    ['0.1', '0.1000000000000000055'],
  ])('with %s, and then with %s, which a parser takes for the same: 422', async (one, other) => {
    const bodies = [one, other].map((amount) => `{"amount":${amount}}`) as [string, string];
    expect(await twice(...bodies)).toEqual({ statuses: [201, 422], executions: 1 });
  });

  it.each([
    ['1', '1.0'],
    ['100', '1e2'],
    ['19.99', '1999e-2'],
    ['-0', '0'],
    ['1e21', '1000000000000000000000'],
  ])('with %s, and then with %s, which is the same: the replay', async (one, other) => {
    const bodies = [one, other].map((amount) => `{"amount":${amount}}`) as [string, string];
    expect(await twice(...bodies)).toEqual({ statuses: [201, 201], executions: 1 });
  });

  it.each(['0.100000000000000001', '12345678901234567890', '1e-400'])(
    'with the same bytes gets the replay, whatever %s is to a parser',
    async (amount) => {
      const body = `{"amount":${amount}}`;
      expect(await twice(body, body)).toEqual({ statuses: [201, 201], executions: 1 });
      expect(await twice(body, body, true)).toEqual({ statuses: [201, 201], executions: 1 });
    },
  );
});
