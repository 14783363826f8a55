import { describe, expect, it } from 'vitest';
import { readRequest } from '../../src/http/request.ts';
import { SHAPES } from '../support/http-events.ts';

type Shape = (typeof SHAPES)[number];
const [v1, v2, , alb, albMultiple] = SHAPES as [Shape, Shape, Shape, Shape, Shape];

const REQUEST = {
  path: '/payments/1',
  headers: [
    ['Host', 'api.example'],
    ['X-Two', '1'],
    ['X-Two', '2'],
  ],
  query: [
    ['a', '1'],
    ['b', ''],
    ['a', '2'],
  ],
  body: 'text',
  base64: true,
} as const;

const read = (shape: Shape, changes: object = {}) => readRequest({ ...shape.event(REQUEST), ...changes });
const query = (pairs: Record<string, string[]>) => new Map(Object.entries(pairs));

describe('a request', () => {
  it.each([
    ['v1', v1, false, ['api.example', 'prod'], query({ a: ['1', '2'], b: [''] }), ['1', '2']],
    ['v2', v2, false, ['api.example', '$default'], query({ a: ['1', '2'], b: [''] }), ['1,2']],
    ['alb', alb, false, ['api.example', ''], query({ a: ['2'], b: [''] }), ['2']],
    ['alb', albMultiple, true, ['api.example', ''], query({ a: ['1', '2'], b: [''] }), ['1', '2']],
  ] as const)('is read from an event of %s: %o', (shape, source, multiValue, authority, queryParameters, twice) => {
    const request = read(source);
    expect(request).toMatchObject({ shape, multiValue, method: 'POST', path: '/payments/1', isBase64Encoded: true });
    expect(request.authority).toEqual(authority);
    expect(request.query).toEqual(queryParameters);
    expect(request.body).toBe(Buffer.from('text').toString('base64'));
    expect(request.header('x-TWO')).toEqual(twice);
    expect(request.header('x-three')).toEqual([]);
  });

  it('has the method in upper case', () => {
    expect(read(v1, { httpMethod: 'patch' }).method).toBe('PATCH');
    expect(read(v2, { requestContext: { http: { method: 'patch' } } }).method).toBe('PATCH');
  });

  it('is to the domain that the gateway knows, before what the client says', () => {
    const requestContext = { domainName: 'verified.example', stage: 'prod' };
    expect(read(v1, { requestContext }).authority).toEqual(['verified.example', 'prod']);
  });

  it('has the host in lower case, the stage as it is', () => {
    const requestContext = { ...(v1.event({})['requestContext'] as object), domainName: 'API.Example', stage: 'Prod' };
    expect(read(v1, { requestContext }).authority).toEqual(['api.example', 'Prod']);
    expect(read(alb, { headers: { HOST: 'API.example:8080' } }).authority).toEqual(['api.example:8080', '']);
  });

  it('has the path of its context where there is no other', () => {
    const requestContext = { http: { method: 'POST', path: '/from-context' } };
    expect(read(v2, { requestContext, rawPath: undefined }).path).toBe('/from-context');
    expect(read(v2, { requestContext, rawPath: '/raw' }).path).toBe('/raw');
  });

  it('has the query as it came where its bytes are no UTF-8', () => {
    expect(read(v2, { rawQueryString: 'a=%ff&b=1' }).query).toEqual(new Map([['', ['a=%ff&b=1']]]));
  });

  it('has no values where the gateway has null, and one where it has one', () => {
    const changes = {
      multiValueHeaders: { 'x-null': null, 'x-one': '1' },
      headers: { 'x-none': null, 'x-not': undefined },
    };
    const request = read(v1, { ...changes, multiValueQueryStringParameters: { a: null, b: undefined, c: '1' } });
    expect(['x-null', 'x-one', 'x-none', 'x-not'].map(request.header)).toEqual([[], ['1'], [], []]);
    expect(request.query).toEqual(query({ a: [], b: [], c: ['1'] }));
  });

  it.each([null, undefined, 'x', 1])('wants no lists of headers from an ALB that has sent %j', (multiValueHeaders) => {
    expect(read(alb, { multiValueHeaders }).multiValue).toBe(false);
  });

  it('takes a number or a boolean for its text', () => {
    expect(read(v1, { path: null, requestContext: { stage: null } })).toMatchObject({
      path: '',
      authority: ['api.example', ''],
    });
    expect(read(v1, { path: 7, requestContext: { stage: true } })).toMatchObject({
      path: '7',
      authority: ['api.example', 'true'],
    });
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a message of a queue', { Records: [] }],
    ['without a method', { headers: {}, requestContext: {} }],
    ['with a method that is no text', { httpMethod: ['POST'] }],
    ['with a path that has no text', { ...v1.event({}), path: { toString: 1 } }],
    [
      'with a stage that has no text',
      { ...v2.event({}), requestContext: { http: { method: 'POST' }, stage: { toString: 1 } } },
    ],
    ['with an object as a header', { ...v1.event({}), multiValueHeaders: { 'idempotency-key': [{ key: 1 }] } }],
    ['with a list as a query parameter', { ...v1.event({}), multiValueQueryStringParameters: { a: [['1']] } }],
  ])('of no gateway, %s, is refused with advice', (_, event) => {
    expect(() => readRequest(event)).toThrow(
      expect.objectContaining({
        name: 'IdempotencyKeyInvalidError',
        code: 'KEY_INVALID',
        message: 'This is no HTTP request.',
        advice:
          'httpIdempotency reads events of API Gateway (REST, HTTP API), Function URLs and ALB. Use idempotency for others.',
      }),
    );
  });
});
