import middy from '@middy/core';
import fc from 'fast-check';
import { IdempotencyError } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it } from 'vitest';
import { isAuthenticated, verifiedIdentity } from '../../src/http/identity.ts';
import { type HttpRequest, readRequest } from '../../src/http/request.ts';
import { lambdaContext } from '../../test/support/harness.ts';
import { SHAPES, type TestRequest } from '../../test/support/http-events.ts';
import { expectNoPollution, fuzzing, garbage, type Json } from './support/fuzzing.ts';

const REQUEST: TestRequest = {
  headers: [
    ['Host', 'api.example'],
    ['Idempotency-Key', '"abc"'],
    ['Content-Type', 'application/json'],
  ],
  query: [
    ['a', '1'],
    ['b', '2'],
  ],
  body: '{"amount":1}',
  authorizer: { jwt: { claims: { iss: 'i', sub: 's' } }, claims: { iss: 'i', sub: 's' }, principalId: 'p', iam: {} },
  identity: { apiKeyId: 'k', userArn: 'arn', clientCert: { issuerDN: 'i', serialNumber: '1' } },
};
const NAMES = [
  'httpMethod',
  'http',
  'elb',
  'headers',
  'multiValueHeaders',
  'Idempotency-Key',
  'idempotency-key',
  'sub',
];

type Scope = { readonly scope?: 'anonymous' };

/** A payments API on a store of its own that counts what it has done. */
function api(options: Scope & { readonly required?: boolean }) {
  const store = memoryStore();
  const written: string[] = [];
  const executions: unknown[] = [];
  const guarded = httpIdempotency({
    ...options,
    operation: 'fuzz',
    store: {
      ...store,
      insert(record) {
        written.push(record.id);
        return store.insert(record);
      },
    },
  });
  const chain = middy();
  chain.use(guarded as never);
  const lambda = chain.handler((async (_event: unknown, context: { idempotency?: object }) => {
    executions.push(context.idempotency);
    return { statusCode: 201, headers: { 'x-execution': String(executions.length) }, body: 'paid' };
  }) as never);
  const call = async (event: Json): Promise<Json> =>
    (await lambda(JSON.parse(JSON.stringify(event)) as never, lambdaContext() as never)) as Json;
  return { call, written, executions };
}

/** The method of the request, read from the event as the documentation of AWS has it. */
function methodOf(event: Json): string | undefined {
  const { httpMethod, requestContext } = (event ?? {}) as { httpMethod?: unknown; requestContext?: never };
  const method: unknown = (requestContext as { http?: { method?: unknown } } | undefined | null)?.http?.method;
  const found = typeof method === 'string' ? method : httpMethod;
  return typeof found === 'string' ? found.toUpperCase() : undefined;
}

function hasKeyHeader(event: Json): boolean {
  const { headers, multiValueHeaders } = event as Record<string, Json>;
  return [headers, multiValueHeaders].some(
    (all) =>
      typeof all === 'object' &&
      all !== null &&
      Object.entries(all).some(
        ([name, value]) =>
          name.toLowerCase() === 'idempotency-key' && value !== null && String(JSON.stringify(value)) !== '[]',
      ),
  );
}

describe.each(SHAPES)('garbage in an event of $name', ({ event }) => {
  it.each([[{}], [{ scope: 'anonymous' }]] as [Scope][])(
    'is a typed refusal, or one execution under a record, however often it comes: %j',
    async (options) => {
      await fc.assert(
        fc.asyncProperty(garbage(event(REQUEST), NAMES), async (text) => {
          const value: Json = JSON.parse(text);
          const { call, written, executions } = api(options);
          const answers: unknown[] = [];
          for (let time = 0; time < 2; time++) {
            answers.push(await call(value).catch((error: unknown) => error));
          }
          expectNoPollution();
          const method = methodOf(value);
          if (method === undefined) {
            for (const answer of answers)
              expect(answer).toMatchObject({ name: 'IdempotencyKeyInvalidError', code: 'KEY_INVALID' });
          } else if (!['POST', 'PATCH'].includes(method)) {
            if (executions.length === 0) for (const answer of answers) expectRefusal(answer);
            else expect(executions).toEqual([undefined, undefined]);
          } else if (executions.length > 0) {
            // A second execution of the same event would have been a second payment.
            expect(executions).toEqual([expect.objectContaining({ attempt: 1 })]);
            expect(answers[1]).toMatchObject({ statusCode: 201, body: 'paid' });
            return;
          } else {
            for (const answer of answers) expectRefusal(answer);
          }
          expect(written).toEqual([]);
        }),
        fuzzing(150),
      );
    },
  );

  it('is executed unguarded only where no key was sent, with required: false', async () => {
    await fc.assert(
      fc.asyncProperty(garbage(event(REQUEST), NAMES), async (text) => {
        const value: Json = JSON.parse(text);
        const { call, executions } = api({ scope: 'anonymous', required: false });
        const answer = await call(value).catch((error: unknown) => error);
        if (executions.length === 0) {
          expectRefusal(answer);
        } else if (executions[0] === undefined && ['POST', 'PATCH'].includes(methodOf(value) ?? '')) {
          expect(hasKeyHeader(value)).toBe(false);
        }
      }),
      fuzzing(100),
    );
  });

  it('never makes a caller out of nothing, and is left as it came', () => {
    fc.assert(
      fc.property(garbage(event(REQUEST), NAMES), (text) => {
        const value: Json = JSON.parse(text);
        const before = JSON.stringify(value);
        const request = requestOf(value);
        const identity = request && verifiedIdentity(request);
        if (request !== undefined && identity !== undefined) {
          expect(identity.length).toBeGreaterThan(1);
          for (const member of identity) expect(member).toMatch(/./);
          // Somebody who can be named is never taken for nobody.
          expect(isAuthenticated(request)).toBe(true);
        }
        expect(JSON.stringify(value)).toBe(before);
        expectNoPollution();
      }),
      fuzzing(300),
    );
  });
});

/** An event of no gateway is refused by an error, a request of one by a problem. */
function expectRefusal(answer: unknown): void {
  if (answer instanceof IdempotencyError) {
    expect(answer).toMatchObject({ code: 'KEY_INVALID', message: 'This is no HTTP request.' });
    return;
  }
  expect(answer).not.toBeInstanceOf(Error);
  const { statusCode, body } = answer as { statusCode: number; body: string };
  expect([400, 500]).toContain(statusCode);
  expect(JSON.parse(body)).toMatchObject({
    status: statusCode,
    type: expect.stringMatching(/^urn:middy-idempotency:problem:(key-missing|key-invalid|scope-missing)$/),
  });
}

/** `undefined` where the event is refused as none of a gateway. */
function requestOf(event: Json): HttpRequest | undefined {
  try {
    return readRequest(event);
  } catch (error) {
    expectRefusal(error);
    return undefined;
  }
}
