import fc from 'fast-check';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it } from 'vitest';
import { parseKeyHeader } from '../../src/http/key-header.ts';
import { SHAPES } from '../support/http-events.ts';
import { useApi } from '../support/http-harness.ts';

const harness = useApi();

describe.each(SHAPES)('any request behind $name', (shape) => {
  it('to a guarded method is refused or executed under a record, and answered in the format of the gateway', async () => {
    const request = fc.record({
      method: fc.constantFrom('POST', 'PATCH', 'post', 'GET', 'PUT'),
      path: fc.string({ unit: 'binary' }),
      body: fc.option(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), { nil: undefined }),
      base64: fc.boolean(),
      headers: fc.array(
        fc.tuple(
          fc.constantFrom('Idempotency-Key', 'idempotency-key', 'Content-Type', 'X-Other'),
          fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('abc', '"abc"', 'application/json')),
        ),
        { maxLength: 3 },
      ),
      query: fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(request, async (value) => {
        let underRecord: boolean | undefined;
        const call = harness.api({
          shape,
          options: { store: memoryStore() },
          handler: async (_event, { idempotency }) => {
            underRecord = idempotency !== undefined;
            return shape.name.includes('multi') ? { statusCode: 200, multiValueHeaders: {} } : { statusCode: 200 };
          },
        });
        const answer = await call(value);
        const guarded = ['POST', 'PATCH'].includes(value.method.toUpperCase());
        if (underRecord === undefined) {
          expect(guarded).toBe(true);
          expect([400]).toContain(answer.statusCode);
          expect(JSON.parse(answer.body)).toMatchObject({ status: answer.statusCode });
        } else {
          expect(underRecord).toBe(guarded);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('any event', () => {
  it('that is no HTTP request is refused with a typed error, and not executed', async () => {
    const { createHttpIdempotency } = await import('../../src/http/index.ts');
    const { systemRuntime } = await import('../../src/runtime.ts');
    const middleware = createHttpIdempotency(
      { store: memoryStore(), operation: 'o', scope: 'anonymous' } as never,
      systemRuntime,
    );
    await fc.assert(
      fc.asyncProperty(fc.anything(), async (event) => {
        const request = { event, context: {}, response: undefined, error: undefined };
        await expect(middleware.before(request as never)).rejects.toMatchObject({ code: 'KEY_INVALID' });
      }),
    );
  });
});

describe('the key header', () => {
  it('is a key of printable ASCII, absent, or a typed error: for any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 2 }), (values) => {
        try {
          const key = parseKeyHeader('Idempotency-Key', values);
          if (values.length === 0) expect(key).toBeUndefined();
          else expect(key).toMatch(/^[\x20-\x7e]{1,255}$/);
        } catch (error) {
          expect(error).toMatchObject({ code: 'KEY_INVALID', statusCode: 400 });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is the string that a structured field holds (RFC 9651, section 3.3.3)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 255 }), (key) => {
        fc.pre(key.trim() !== '');
        const quoted = `"${key.replace(/["\\]/g, '\\$&')}"`;
        expect(parseKeyHeader('Idempotency-Key', [quoted])).toBe(key);
      }),
    );
  });
});
