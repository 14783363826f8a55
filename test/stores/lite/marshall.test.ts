import { runInNewContext } from 'node:vm';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, NumberValue, PutCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromWire, toWire } from '../../../src/stores/dynamodb/lite/marshall.ts';

/** The item that the document client sends, as JSON; or that it refuses it. */
async function ofSdk(Item: object): Promise<unknown> {
  let sent: unknown;
  const client = new DynamoDBClient({ region: 'local', credentials: { accessKeyId: 'a', secretAccessKey: 's' } });
  client.middlewareStack.add(
    () => async (args) => {
      const { body } = args.request as { readonly body: string | Uint8Array };
      sent = JSON.parse(Buffer.from(body as string).toString()).Item;
      throw new Error('seen');
    },
    { step: 'deserialize', priority: 'low' },
  );
  const put = new PutCommand({ TableName: 't', Item: Item as Record<string, unknown> });
  await DynamoDBDocumentClient.from(client)
    .send(put)
    .catch(() => undefined);
  client.destroy();
  return sent ?? 'refused';
}

function ours(item: object): unknown {
  try {
    return JSON.parse(JSON.stringify(toWire(item)));
  } catch {
    return 'refused';
  }
}

const bytes = fc.uint8Array({ maxLength: 20 });
const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.double(),
  fc.maxSafeInteger(),
  fc.bigInt(),
  fc.boolean(),
  fc.constant(null),
  bytes,
  bytes.map((value) => Buffer.from(value)),
  fc.bigInt().map((value) => NumberValue.from(value)),
  fc.constantFrom(new Number(3), new String('text'), new Boolean(false), () => 1),
);
const set = fc.oneof(
  fc.array(fc.string()),
  fc.array(fc.integer()),
  fc.array(fc.bigInt()),
  fc.array(bytes),
  fc.array(fc.bigInt().map((value) => NumberValue.from(value))),
  fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(undefined), fc.constant(null), fc.boolean()), {
    maxLength: 2,
  }),
);
const { value: anything } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    { weight: 12, arbitrary: scalar },
    {
      weight: 1,
      arbitrary: fc.constantFrom(undefined, new Date(0), Symbol('s'), new (class Mine {})(), { constructor: 'x' }),
    },
    set.map((members) => new Set<unknown>(members)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: false }),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
  ),
}));
/** An assignment to it sets a prototype: the SDK loses such a member. */
const hasProto = (item: unknown) =>
  JSON.stringify(item, (_, value) => (typeof value === 'bigint' ? 0 : value))?.includes('__proto__');

describe('the items of a transaction', () => {
  it('are translated as lib-dynamodb translates them, and refused where it refuses them', async () => {
    const item = fc.dictionary(fc.string({ minLength: 1 }), anything, { maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(item, async (value) => {
        fc.pre(!hasProto(value));
        expect(ours(value)).toEqual(await ofSdk(value));
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it.each<[string, object]>([
    ['a set of texts', { value: new Set(['a', 'b']) }],
    ['a set of exact numbers', { value: new Set([NumberValue.from('1e40'), NumberValue.from('2')]) }],
    ['a set of bytes', { value: new Set([Uint8Array.of(1)]) }],
    ['an empty set', { value: new Set() }],
    ['undefined as an attribute', { value: undefined, other: 1 }],
    ['undefined in a map', { value: { nested: undefined } }],
    ['undefined in a list', { value: [undefined] }],
    ['a number beyond 2^53', { value: 2 ** 53 }],
    ['minus infinity', { value: Number.NEGATIVE_INFINITY }],
    ['minus zero', { value: -0 }],
    ['a view of a part of a buffer', { value: new Uint8Array(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2) }],
    ['an object of another realm', { value: runInNewContext('({ a: [1], b: new Map([["k", 1]]) })') }],
    ['an object without a prototype', { value: Object.assign(Object.create(null), { a: 1 }) }],
    ['inherited members', { value: Object.create({ inherited: 1 }) }],
    ['empty text and empty bytes', { text: '', bytes: new Uint8Array() }],
  ])('as lib-dynamodb does: %s', async (_, item) => {
    expect(ours(item)).toEqual(await ofSdk(item));
  });

  it('say what is wrong with a value, and not what the value is', () => {
    class Card {
      readonly number = '4111111111111111';
    }
    expect(() => toWire({ card: new Card() })).toThrow(/^a value of the type Card cannot be stored/);
  });
});

describe('an item from DynamoDB', () => {
  it('has bytes where JSON has base64, at any depth', () => {
    const B = Uint8Array.of(1, 2);
    const item = { a: { B }, b: { M: { c: { L: [{ BS: [B] }, { N: '1' }] } } }, d: { S: 'AQI=' }, e: { NULL: true } };
    const wire = JSON.parse(JSON.stringify(item, (_, value) => (value instanceof Uint8Array ? 'AQI=' : value)));
    expect(fromWire(wire)).toEqual(item);
  });
});
