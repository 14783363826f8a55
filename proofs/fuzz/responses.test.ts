import middy from '@middy/core';
import fc from 'fast-check';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it } from 'vitest';
import { lambdaContext } from '../../test/support/harness.ts';
import { SHAPES } from '../../test/support/http-events.ts';
import { expectNoPollution, fuzzing, garbage, type Json } from './support/fuzzing.ts';

const RESPONSE = {
  statusCode: 201,
  headers: { 'content-type': 'application/json', 'set-cookie': 'a=1' },
  multiValueHeaders: { vary: ['a', 'b'] },
  cookies: ['a=1'],
  body: '{"id":1}',
  isBase64Encoded: false,
};

describe.each(SHAPES)('whatever a handler answers behind $name', ({ event }) => {
  it('is answered once more to a retry, or the handler is asked again because it failed', async () => {
    await fc.assert(
      fc.asyncProperty(garbage(RESPONSE), async (json) => {
        const response: Json = JSON.parse(json);
        let executions = 0;
        const chain = middy();
        chain.use(httpIdempotency({ store: memoryStore(), operation: 'fuzz', scope: 'anonymous' }) as never);
        const lambda = chain.handler((async () => {
          executions++;
          return JSON.parse(json);
        }) as never);
        const call = () => lambda(event({ headers: [['Idempotency-Key', 'k']] }) as never, lambdaContext() as never);
        // The first caller gets what the handler has answered.
        expect(await call()).toEqual(response);
        const retry = (await call()) as unknown;
        const { statusCode } = (response ?? {}) as { statusCode?: Json };
        const failed = typeof statusCode !== 'object' && (Number(statusCode) >= 500 || Number(statusCode) === 429);
        if (typeof statusCode !== 'object') expect(executions).toBe(failed ? 2 : 1);
        const { body } = (response ?? {}) as { body?: Json };
        if (statusCode !== undefined && executions === 1) expect((retry as { body?: Json }).body).toEqual(body);
        expectNoPollution();
      }),
      fuzzing(100),
    );
  });
});
