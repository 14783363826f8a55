import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestFingerprint } from '../../src/http/fingerprint.ts';
import { readRequest } from '../../src/http/request.ts';
import { holdsRoundedInteger, sha256 } from '../../src/request-key/canonical.ts';
import { SHAPES, type TestRequest } from '../support/http-events.ts';

type Shape = (typeof SHAPES)[number];

const JSON_TYPE = ['Content-Type', 'application/json'] as const;

describe.each(SHAPES)('the fingerprint behind $name', (shape) => {
  const of = (request: TestRequest) => sha256(JSON.stringify(requestFingerprint(readRequest(shape.event(request)))));
  const json = (body: string, changes: Partial<TestRequest> = {}) => of({ body, headers: [JSON_TYPE], ...changes });

  it.each<[string, string, string]>([
    ['the order of properties', '{"a":1,"b":2}', '{"b":2,"a":1}'],
    ['white space', '{"a":[1,2]}', ' {\n"a" : [ 1, 2 ] }\n'],
    ['escapes', '{"a":"é/"}', '{"a":"\\u00e9\\/"}'],
    ['the spelling of a number', '{"a":10}', '{"a":1e1}'],
  ])('does not mind %s', (_, one, other) => {
    expect(json(one)).toBe(json(other));
  });

  it.each<[string, string, string]>([
    ['a value', '{"a":1}', '{"a":2}'],
    ['a type', '{"a":1}', '{"a":"1"}'],
    ['the order of a list', '[1,2]', '[2,1]'],
    ['a member', '{"a":1}', '{"a":1,"b":null}'],
    ['an integer beyond what a parser keeps', '{"a":9007199254740993}', '{"a":9007199254740992}'],
    ['a body that is no JSON', '{"a":', '{"a": '],
  ])('minds %s', (_, one, other) => {
    expect(json(one)).not.toBe(json(other));
  });

  it('does not mind base64, the case of the media type, or its parameters', () => {
    const body = '{"a":"ü"}';
    expect(json(body, { base64: true })).toBe(json(body));
    expect(of({ body, headers: [['content-type', 'Application/JSON; charset=utf-8']] })).toBe(json(body));
    expect(of({ body, headers: [['Content-Type', 'text/plain']] })).not.toBe(json(body));
  });

  it('does not mind how a media type, a content coding or a host is written', () => {
    const text = (type: string) => of({ body: 'a', headers: [['Content-Type', type]] });
    expect(text('Text/Plain;Charset="UTF-8"')).toBe(text('text/plain; charset=utf-8'));
    expect(text('text/plain; format=flowed')).not.toBe(text('text/plain'));
    const coded = (coding: string) => of({ body: 'a', headers: [['Content-Encoding', coding]] });
    expect(coded('GZIP ,br')).toBe(coded('gzip, br'));
    expect(coded('gzip, br')).not.toBe(coded('br, gzip'));
    const host = (name: string) => of({ headers: [['Host', name]] });
    expect(host('API.Example')).toBe(host('api.example'));
  });

  it('compares what is no JSON by its bytes', () => {
    const text = (body: string) => of({ body, headers: [['Content-Type', 'text/plain']] });
    expect(text('a b')).toBe(text('a b'));
    expect(text('a b')).not.toBe(text('a  b'));
  });

  it('does not mind the order of query parameters, but minds that of one with several values', () => {
    const query = (...pairs: [string, string][]) => of({ query: pairs });
    expect(query(['a', '1'], ['b', '2'])).toBe(query(['b', '2'], ['a', '1']));
    expect(query(['a', '1'])).not.toBe(query(['a', '2']));
    expect(query(['a', '1'])).not.toBe(query());
    // An ALB without multi-value headers hands on the last value only.
    if (shape.name !== 'ALB') expect(query(['a', '1'], ['a', '2'])).not.toBe(query(['a', '2'], ['a', '1']));
  });

  it('minds the host, the stage, and how the bytes are to be read', () => {
    const event = shape.event({ body: '{"a":1}', headers: [JSON_TYPE, ['Host', 'a.example']] });
    const context = event['requestContext'] as object;
    const fingerprint = (changes: object) =>
      sha256(JSON.stringify(requestFingerprint(readRequest({ ...event, ...changes }))));
    const original = fingerprint({});
    expect(fingerprint({ requestContext: { ...context, stage: 'other' } })).not.toBe(original);
    expect(fingerprint({ requestContext: { ...context, domainName: 'b.example' } })).not.toBe(original);
    expect(json('{"a":1}', { headers: [JSON_TYPE, ['Content-Encoding', 'br']] })).not.toBe(json('{"a":1}'));
    const text = (charset: string) => of({ body: 'a', headers: [['Content-Type', `text/plain; charset=${charset}`]] });
    expect(text('utf-8')).not.toBe(text('latin1'));
  });

  it('tells no body from an empty object', () => {
    expect(of({})).not.toBe(json('{}'));
  });

  it('is the same for the same JSON value however it is written, and another for another', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        fc.pre(!holdsRoundedInteger([a, b]));
        expect(json(JSON.stringify(a, null, 2))).toBe(json(JSON.stringify(a)));
        if (JSON.stringify(a) !== JSON.stringify(b) && typeof a !== 'object')
          expect(json(JSON.stringify(a))).not.toBe(json(JSON.stringify(b)));
      }),
      { numRuns: 50 },
    );
  });
});

const [v1, http] = SHAPES as [Shape, Shape];
const of = (request: TestRequest, changes: object = {}) =>
  requestFingerprint(readRequest({ ...http.event(request), ...changes }));
const bodyOf = (request: TestRequest, changes: object = {}) => of(request, changes).at(-1);

describe('the fingerprint', () => {
  // A release that computed another one would refuse every retry across its deployment.
  it('is contract: it stays the same in every release', () => {
    const query: [string, string][] = [
      ['z', '1'],
      ['a', '2'],
      ['z', '0'],
    ];
    const headers: [string, string][] = [
      ['Host', 'a.example'],
      ['Content-Type', ' application/JSON ; charset=utf-8'],
      ['Content-Encoding', 'identity'],
    ];
    expect(of({ body: '{"b":1,"a":[]}', query, headers })).toEqual([
      'POST',
      ['a.example', '$default'],
      '/payments',
      [
        ['a', ['2']],
        ['z', ['1', '0']],
      ],
      'application/json',
      ['identity'],
      `json:${sha256('{"a":[],"b":1}')}`,
    ]);
    expect(of({ body: 'text', headers: [['Content-Type', ' text/plain; charset=UTF-8 ']] }).slice(4)).toEqual([
      'text/plain; charset=utf-8',
      [],
      `bytes:${sha256(Buffer.from('text').toString('base64'))}`,
    ]);
    expect(of({}).slice(4)).toEqual(['', [], 'none']);
  });

  it.each([undefined, null, ''])('of no body is the same however the gateway says so: %j', (body) => {
    expect(bodyOf({}, { body })).toBe('none');
  });

  it('of a body that was parsed in front is that of its text', () => {
    expect(bodyOf({}, { body: { b: 1, a: null } })).toBe(`json:${sha256('{"a":null,"b":1}')}`);
    expect(bodyOf({}, { body: { a: 2 ** 53 - 1 } })).toBe(`json:${sha256('{"a":9007199254740991}')}`);
    expect(() => bodyOf({}, { body: new Map() })).toThrow('The idempotency fingerprint of this request cannot be used');
  });

  it.each([2 ** 53, -(2 ** 53), 1e21])(
    'is refused where a parser in front may have rounded an integer: %d',
    (account) => {
      expect(() => bodyOf({}, { body: { from: [{ account }] } })).toThrow(
        expect.objectContaining({
          code: 'KEY_INVALID',
          message: 'This request has an integer beyond 2^53. Send it as a string.',
          advice:
            'A body parser in front of httpIdempotency has rounded it. Use httpIdempotency first: it compares the text.',
        }),
      );
    },
  );

  it('minds each of several media types and content codings', () => {
    const twice = (name: string, values: string[]) =>
      requestFingerprint(
        readRequest({ ...v1.event({ body: '{}' }), headers: {}, multiValueHeaders: { [name]: values } }),
      );
    expect(twice('content-type', ['text/plain', 'text/html'])).not.toEqual(twice('content-type', ['text/plain']));
    expect(twice('content-type', ['text/plain', 'text/html'])).toEqual(twice('content-type', ['text/plain,text/html']));
    expect(twice('content-encoding', ['gzip', 'BR'])).toEqual(twice('content-encoding', ['gzip,br']));
    expect(twice('content-encoding', ['gzip', '', 'br'])).toEqual(twice('content-encoding', ['gzip,br']));
  });

  it('compares every kind of JSON by its meaning', () => {
    const patch = (body: string) => bodyOf({ body, headers: [['Content-Type', 'application/merge-patch+json']] });
    expect(patch('{ "a": 1 }')).toBe(patch('{"a":1}'));
    const other = (body: string) => bodyOf({ body, headers: [['Content-Type', '+json/x']] });
    expect(other('{ "a": 1 }')).not.toBe(other('{"a":1}'));
  });

  it('minds bytes in JSON that are no UTF-8', () => {
    const withByte = (byte: number) =>
      bodyOf(
        { headers: [JSON_TYPE] },
        { body: Buffer.from([0x22, byte, 0x22]).toString('base64'), isBase64Encoded: true },
      );
    expect(withByte(0xff)).not.toBe(withByte(0xfe));
  });
});

it('minds query bytes that are no UTF-8', () => {
  const v2 = SHAPES[1] as (typeof SHAPES)[number];
  const of = (rawQueryString: string) =>
    JSON.stringify(requestFingerprint(readRequest({ ...v2.event({}), rawQueryString })));
  expect(of('id=%FF')).not.toBe(of('id=%FE'));
  expect(of('id=%41')).toBe(of('id=A'));
});
