import fc from 'fast-check';
import { jmespath } from 'middy-idempotency/jmespath';
import { describe, expect, it } from 'vitest';
import { identify } from '../../src/request-key/identify.ts';
import { type RequestOptions, resolveRequestOptions } from '../../src/request-key/request-options.ts';

const of = (options: RequestOptions, event: unknown) => identify(resolveRequestOptions(options), 'pay', [event]);

describe('the record id', () => {
  // A release that computed another id would execute every request in flight once more.
  it('is contract: it stays the same in every release', () => {
    expect(of({ key: 'id' }, { id: 'order-1' })?.id).toBe('pay#ZBSc9GFMc-AuQ7WATPgFyCzOTmNGhJY7XGrB0Y7XxMQ');
    expect(of({ key: 'id', scope: 'tenant' }, { id: 'order-1', tenant: 't' })?.id).toBe(
      'pay#-0nXVz58NQi3_2UOXr50k8WE87YRISKRWGy8dnZMnbQ',
    );
    expect(of({ key: '[tenant, id]' }, { id: 1, tenant: 't' })?.id).toBe(
      'pay#uUOqSIyMxiRr-tlVXFLSFIq4s2K7F-62HnWvWQBbCCE',
    );
    expect(of({ key: 'id', fingerprint: 'body' }, { id: 'order-1', body: 'x' })?.fingerprint).toBe(
      'ui30kDosFOhtw7zKWJEbRKwdJRS3Inv26wjPuXj1Whs',
    );
  });

  it('is the operation and the SHA-256 of the canonical JSON of scope and key', async () => {
    const { createHash } = await import('node:crypto');
    const digest = createHash('sha256').update('[{"a":1,"b":2},["x"]]').digest('base64url');
    expect(of({ key: 'k', scope: 's' }, { s: { b: 2, a: 1 }, k: ['x'] })?.id).toBe(`pay#${digest}`);
  });

  it('is the same for an expression and a function that select the same', () => {
    const event = { body: '{"id":"1","tenant":"t"}' };
    const byFunction = of({ key: ((e: typeof event) => JSON.parse(e.body).id) as never }, event);
    expect(of({ key: 'powertools_json(body).id' }, event)?.id).toBe(byFunction?.id);
  });

  it('differs for different keys, whatever they are', () => {
    const key = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.array(fc.string({ minLength: 1 }), { minLength: 1 }),
    );
    fc.assert(
      fc.property(key, key, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        fc.pre([a, b].every((value) => JSON.stringify(value).replace(/[[\]",\s]/g, '') !== '' && !hasBlank(value)));
        expect(of({ key: 'k' }, { k: a })?.id).not.toBe(of({ key: 'k' }, { k: b })?.id);
      }),
    );
  });
});

const hasBlank = (value: unknown) =>
  [value].flat().some((member) => typeof member === 'string' && member.trim() === '');

describe('the Powertools functions', () => {
  it('decode base64, and gzip', async () => {
    const { gzipSync } = await import('node:zlib');
    const json = JSON.stringify({ id: 'x' });
    const plain = of({ key: 'id' }, { id: 'x' })?.id;
    const base64 = Buffer.from(json).toString('base64');
    const gzip = gzipSync(json).toString('base64');
    expect(of({ key: 'powertools_json(powertools_base64(body)).id' }, { body: base64 })?.id).toBe(plain);
    expect(of({ key: 'powertools_json(powertools_base64_gzip(body)).id' }, { body: gzip })?.id).toBe(plain);
  });

  it('work beside those of JMESPath', () => {
    const key = jmespath("join('-', sort(powertools_json(body).ids))");
    expect(of({ key }, { body: '{"ids":["b","a"]}' })?.id).toBe(of({ key: 'k' }, { k: 'a-b' })?.id);
  });
});

describe('any event', () => {
  it('gives an identity or a typed error, never anything else', () => {
    const expressions = [
      'id',
      'powertools_json(body).id',
      '[id, body]',
      '{a: id, b: body}',
      'body[0].id',
      jmespath('body[0].id || id'),
    ];
    const event = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withObjectString: true }),
      fc.record({ id: fc.anything(), body: fc.oneof(fc.string(), fc.json(), fc.anything()) }),
    );
    fc.assert(
      fc.property(event, fc.constantFrom(...expressions), (value, key) => {
        try {
          expect(of({ key }, value)?.id).toMatch(/^pay#[\w-]{43}$/);
        } catch (error) {
          expect(error).toMatchObject({
            name: expect.stringMatching(/^IdempotencyKey(Missing|Invalid)Error$/),
            code: expect.stringMatching(/^KEY_(MISSING|INVALID)$/),
          });
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('deriveKey', () => {
  const handle = of({ key: 'id' }, { id: 'order-1' });

  it('is contract: it stays the same in every release, or a retry across a deployment pays twice', () => {
    expect(handle?.deriveKey('charge')).toBe('d1667cfc-ec6c-8544-8f8b-dec6a4fac71d');
  });

  it('is a UUID of version 8 (RFC 9562)', () => {
    const names = Array.from({ length: 50 }, (_, index) => `call ${index}`);
    for (const name of names) {
      expect(handle?.deriveKey(name)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  it('differs by name and by request', () => {
    const other = of({ key: 'id' }, { id: 'order-2' });
    const keys = [handle?.deriveKey('charge'), handle?.deriveKey('mail'), other?.deriveKey('charge')];
    expect(new Set(keys).size).toBe(3);
  });

  it('refuses a name that is no text', () => {
    expect(() => handle?.deriveKey('\ud800')).toThrow('The idempotency name of this request cannot be used');
  });

  it.each(['', undefined, 7])('refuses %j for a name', (name) => {
    expect(() => handle?.deriveKey(name as never)).toThrow('must be a non-empty string');
  });
});
