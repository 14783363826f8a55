import { randomUUID } from 'node:crypto';
import { IdempotencyError } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { jmespath } from 'middy-idempotency/jmespath';
import { explainRequest, type RequestToIdentify, recordId } from 'middy-idempotency/operator';
import { describe, expect, it } from 'vitest';
import { useGuards } from '../support/harness.ts';
import { SHAPES } from '../support/http-events.ts';
import { useApi } from '../support/http-harness.ts';

const guards = useGuards();
const { api, events, table } = useApi();

describe('the id', () => {
  it.each([
    ['a key', { key: 'id' }],
    ['key and scope', { key: '[id, amount]', scope: 'tenant' }],
    ['key and fingerprint', { key: 'powertools_json(body).id', fingerprint: 'body' }],
    ['an expression', { key: jmespath('orderId || id'), scope: 'tenant' }],
    ['functions', { key: (event: { id: string }) => event.id, scope: () => ['all'] }],
  ])('is the one that idempotency stores, with %s', async (_, selectors) => {
    const id = randomUUID();
    const event = { id, amount: 10, tenant: 't', body: JSON.stringify({ id }) };
    await guards.guarded({ handler: async () => 'done', options: selectors as object })(event);
    const explained = recordId({ operation: 'test', event, ...selectors } as RequestToIdentify<typeof event>);
    expect(explained).toBe(guards.events.at(-1)?.id);
    expect(await guards.store.read(explained ?? '')).toMatchObject({ status: 'COMPLETED' });
  });

  it('is the one that idempotent stores for a first argument', async () => {
    const order = { id: randomUUID() };
    await guards.idempotent(async (_order: { id: string }) => 'done')(order);
    expect(recordId({ operation: 'test', key: 'id', event: order })).toBe(guards.events.at(-1)?.id);
  });

  describe.each(SHAPES)('over HTTP, $name', (shape) => {
    it.each([
      ['anonymous', { scope: 'anonymous' }],
      ['a header of its own', { scope: 'anonymous', headerName: 'X-Request-Key' }],
      [
        'an expression as scope',
        { scope: jmespath('headers.tenant || multiValueHeaders.tenant'), fingerprint: jmespath('path || rawPath') },
      ],
      ['more methods', { scope: 'anonymous', methods: ['PUT', 'POST'] }],
    ] as const)('is the one that httpIdempotency stores: %s', async (_, options) => {
      const header = 'headerName' in options ? options.headerName : 'idempotency-key';
      const request = {
        method: 'methods' in options ? 'PUT' : 'POST',
        headers: [
          [header, `"${randomUUID()}"`],
          ['tenant', 't'],
        ],
        body: '{"a":1}',
      } as const;
      await api({ shape, handler: () => ({ statusCode: 201, body: '' }), options })(request);
      const explanation = explainRequest({ operation: 'test', event: shape.event(request), http: options });
      if (explanation.kind !== 'guarded') throw new Error(`it is ${explanation.kind}`);
      const { id, fingerprint } = explanation;
      expect(id).toBe(events.at(-1)?.id);
      expect(await dynamoDBStore(table).read(id)).toMatchObject({ status: 'COMPLETED', fingerprint });
    });
  });

  it('is that of the verified caller by default', async () => {
    const [shape] = SHAPES;
    const request = { headers: [['Idempotency-Key', randomUUID()]], authorizer: { principalId: 'user-1' } } as const;
    // `undefined` overrides the harness: the default of the middleware.
    const options = { scope: undefined } as never;
    await api({ ...(shape && { shape }), handler: () => ({ statusCode: 201, body: '' }), options })(request);
    const explanation = explainRequest({ operation: 'test', event: shape?.event(request), http: {} });
    expect(explanation).toMatchObject({ kind: 'guarded', id: events.at(-1)?.id });
    expect(JSON.stringify(explanation)).toContain('user-1');
  });
});

describe('an explanation', () => {
  it('shows what was selected', () => {
    const event = { id: 'order-1', tenant: 't', body: 'x' };
    expect(
      explainRequest({ operation: 'pay', event, key: jmespath('[id, `0`]'), scope: 'tenant', fingerprint: 'body' }),
    ).toMatchObject({
      kind: 'guarded',
      operation: 'pay',
      key: ['order-1', 0],
      scope: 't',
      fingerprint: 'ui30kDosFOhtw7zKWJEbRKwdJRS3Inv26wjPuXj1Whs',
    });
  });

  it.each([
    ['KEY_MISSING', { key: 'nothing' }, { key: null }],
    ['SCOPE_MISSING', { key: 'id', scope: 'nothing' }, { key: 'a', scope: null }],
    ['KEY_INVALID', { key: 'powertools_json(id)' }, {}],
    ['KEY_INVALID', { key: 'id', fingerprint: 'nothing' }, { key: 'a' }],
  ])('says why a request is refused: %s', (code, selectors, selected) => {
    const request = { operation: 'pay', event: { id: 'a' }, ...selectors };
    const { kind, error, ...rest } = explainRequest(request) as { kind: string; error: IdempotencyError };
    expect(kind).toBe('refused');
    expect(error).toMatchObject({ code });
    expect(rest).toEqual(selected);
    expect(() => recordId(request)).toThrow(IdempotencyError);
  });

  it('of a request over HTTP that is refused says why, too', () => {
    const [shape] = SHAPES;
    const of = (request: object) =>
      explainRequest({ operation: 'pay', event: shape?.event(request), http: { scope: 'anonymous' } });
    expect(of({})).toMatchObject({ kind: 'refused', error: { code: 'KEY_MISSING' } });
    expect(of({ headers: [['Idempotency-Key', 'a, b']] })).toMatchObject({ error: { code: 'KEY_INVALID' } });
    expect(explainRequest({ operation: 'pay', event: { no: 'request' }, http: {} })).toMatchObject({
      kind: 'refused',
      error: { code: 'KEY_INVALID' },
    });
  });

  it('says that a method is not guarded', () => {
    const request = { operation: 'pay', event: SHAPES[0]?.event({ method: 'GET' }), http: {} };
    expect(explainRequest(request)).toEqual({ kind: 'unguarded', reason: expect.stringMatching(/GET.*POST, PATCH/) });
    expect(recordId(request)).toBeUndefined();
  });

  it('refuses wrong options as the guard does', () => {
    const event = {};
    expect(() => recordId({ operation: 'pay', event, key: 'a(' })).toThrow(/option `key`/);
    expect(() => recordId({ operation: '', event, key: 'a' })).toThrow(/option `operation`/);
    expect(() => recordId({ operation: 'pay', event, http: { methods: ['GET'] } })).toThrow(/option `methods`/);
  });
});
