import fc from 'fast-check';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { describe, expect, it } from 'vitest';
import { paymentsRoutes } from '../../infra/payments/api.ts';
import { dynamoDBPayments } from '../../infra/payments/dynamodb-payments.ts';
import { fakeProcessor } from '../../infra/payments/fake-processor.ts';
import { parseKeyHeader } from '../../src/http/key-header.ts';
import { localClient } from '../support/table.ts';
import {
  bodyViolations,
  type Content,
  document,
  type Operation,
  operations,
  resolved,
  undeclared,
} from './support/openapi.ts';

function servedRoutes() {
  const table = { tableName: 'none', client: localClient() };
  return paymentsRoutes({ store: dynamoDBStore(table), payments: dynamoDBPayments(table), processor: fakeProcessor() });
}

function contents({ requestBody, responses }: Operation): Content[] {
  const answers = Object.values(responses).map((response) => resolved<{ content?: Content }>(response).content ?? {});
  return [requestBody?.content ?? {}, ...answers];
}

const createPayment = operations().get('POST /payments') as Operation;

// What the other tests of this folder see is held to the document by their client: see requests.ts.
describe('openapi.json', () => {
  it('has the routes that are served, and no others', () => {
    const served = servedRoutes().map(({ method, path }) => `${method} ${path}`);
    expect([...operations().keys()].toSorted()).toEqual(served.toSorted());
  });

  it('refers only to what it has, and has nothing that nothing refers to', () => {
    const refs = new Set(Array.from(JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g), ([, ref]) => ref));
    const has = Object.entries<object>(document.components)
      .filter(([kind]) => kind !== 'securitySchemes')
      .flatMap(([kind, members]) => Object.keys(members).map((name) => `#/components/${kind}/${name}`));
    expect([...refs].toSorted()).toEqual(has.toSorted());
  });

  it.each([...operations()])('%s has examples that are valid', (_, operation) => {
    for (const content of contents(operation)) {
      for (const { schema, examples } of Object.values(content)) {
        expect(Object.keys(examples)).not.toHaveLength(0);
        for (const { value } of Object.values(examples)) expect(bodyViolations(schema, value)).toEqual([]);
      }
    }
  });

  it.each([...operations()])('%s says what an Idempotency-Key does', (name, { parameters = [], responses }) => {
    const headers = parameters.map((parameter) => resolved<{ name: string; required: boolean }>(parameter));
    const key = headers.find((parameter) => parameter.name === 'Idempotency-Key');
    if (name.startsWith('GET')) return expect(key).toBeUndefined();
    expect(key?.required).toBe(name.startsWith('POST'));
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['400', '409', '422', '503']));
    const replayable = Object.entries(responses).filter(([status]) => status.startsWith('2'));
    for (const [, response] of replayable) {
      expect(resolved<{ headers: object }>(response).headers).toHaveProperty('Idempotent-Replayed');
    }
  });
});

describe('what the document allows', () => {
  const keyPattern = new RegExp(document.components.parameters.IdempotencyKeyRequired.schema.pattern, 'u');
  const isKey = (header: string) => {
    try {
      return parseKeyHeader('Idempotency-Key', [header]) !== undefined;
    } catch {
      return false;
    }
  };
  const characters = fc.constantFrom(...' !"#+,-:;<=[]\\~aZ9', '\t', '\u007f', 'é');
  const headers = fc.oneof(
    fc.string({ unit: characters, maxLength: 12 }),
    fc.string({ unit: characters, maxLength: 12 }).map((text) => `"${text}"`),
    fc.integer({ min: 253, max: 257 }).map((length) => 'k'.repeat(length)),
    fc.integer({ min: 253, max: 257 }).map((length) => `"${'k'.repeat(length)}"`),
  );

  it('takes a key that its pattern allows, and refuses every other, but for spaces at its ends', () => {
    // HTTP drops the spaces around a field's value. A quoted key may begin with one, and nobody needs to know.
    const isSpaced = (header: string) => /^[ \t]|[ \t]$|^" /.test(header);
    fc.assert(
      fc.property(headers, (header) => {
        if (keyPattern.test(header)) expect(isKey(header), header).toBe(true);
        else if (!isSpaced(header)) expect(isKey(header), header).toBe(false);
      }),
      { numRuns: 5000, seed: 1 },
    );
  });

  it.each([
    [{ metadata: { order: '4711', note: null } }, true],
    [{ metadata: { '1st': null } }, true],
    [{ metadata: { '1st': 'a' } }, false],
    [{ metadata: { order: 4711 } }, false],
    [{ amount: 1 }, false],
  ])('says of the merge patch %j whether it is valid: %s', (patch, isValid) => {
    expect(bodyViolations(document.components.schemas.PaymentPatch, patch).length === 0).toBe(isValid);
  });

  it.each(['PaymentRequest', 'PaymentReplacement', 'PaymentPatch', 'RefundRequest'])(
    'says what becomes of further members of %s',
    (name) => {
      expect(document.components.schemas[name]).toHaveProperty('additionalProperties');
    },
  );

  it.each([...operations()].filter(([name]) => name.includes('{id}')))(
    '%s says that an id may be no id at all: 404',
    (_, { responses }) => {
      const { content } = resolved<{ content: Content }>(responses['404'] ?? {});
      expect(content['application/problem+json']?.examples).toHaveProperty('not-found');
    },
  );
});

describe('the check that the other tests make', () => {
  const payment = createPayment.responses['201'] as { content: Content };
  const body = payment.content['application/json']?.examples['answer']?.value as object;
  const headers = { 'content-type': 'application/json', etag: '"v1"', location: `/payments/${'0'.repeat(36)}` };
  const check = (answer: object, value: object = body) =>
    undeclared(createPayment, { statusCode: 201, headers, body: JSON.stringify(value), ...answer });
  const problem = (members: object) =>
    check(
      { statusCode: 422, headers: { 'content-type': 'application/problem+json' } },
      { type: 'https://payments.example/problems/key-reused', status: 422, detail: '', ...members },
    );

  it('lets what is declared through', () => {
    expect(check({})).toEqual([]);
    expect(check({ headers: { ...headers, 'Idempotent-Replayed': 'true' } })).toEqual([]);
    expect(problem({ title: 'Idempotency-Key is already used' })).toEqual([]);
  });

  it.each([
    ['a status', () => check({ statusCode: 202 })],
    ['a content type', () => check({ headers: { ...headers, 'content-type': 'text/plain' } })],
    ['a header', () => check({ headers: { ...headers, 'x-other': '1' } })],
    ['a header that is missing', () => check({ headers: { ...headers, etag: undefined } })],
    ['a weak entity tag', () => check({ headers: { ...headers, etag: 'W/"v1"' } })],
    ['a member', () => check({}, { ...body, version: 1 })],
    ['a member that is missing', () => check({}, { ...body, status: undefined })],
    ['a type', () => check({}, { ...body, amount: '1999' })],
    ['a fraction', () => check({}, { ...body, amount: 19.99 })],
    ['a value', () => check({}, { ...body, status: 'lost' })],
    ['an item', () => check({}, { ...body, refunds: [{}] })],
    ['a name', () => check({}, { ...body, metadata: { '': '' } })],
    ['a problem', () => problem({ title: 'x', type: 'https://payments.example/problems/not-found' })],
    ['a title', () => problem({ title: 'another' })],
  ])('finds %s that is not declared', (_, found) => {
    expect(found()).not.toEqual([]);
  });

  it('refuses a keyword of schemas that it does not know', () => {
    expect(() => bodyViolations({ minProperties: 1 }, {})).toThrow('unknown keyword minProperties');
  });
});
