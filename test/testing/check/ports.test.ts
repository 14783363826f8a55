import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { isRead, keyOfCall, type PortCall, wrapPorts } from '../../../src/testing/check/ports.ts';

const DERIVED = '0b0f1f2e-5b1c-8f1e-9a55-0123456789ab';
const RANDOM = '0b0f1f2e-5b1c-4f1e-9a55-0123456789ab';

describe('a wrapped port', () => {
  function wrapped<T extends object>(ports: T) {
    const calls: PortCall[] = [];
    const through = (call: PortCall) => {
      calls.push(call);
      return call.perform();
    };
    return {
      ports: wrapPorts(ports as Record<string, unknown>, through) as T,
      names: () => calls.map(({ name }) => name),
    };
  }

  it('keeps what it is: methods with private state, nested objects, values, and the same function each time', () => {
    class Processor {
      #charges = 0;
      readonly currency = 'EUR';
      readonly refunds = { create: () => 'refund' };
      charge() {
        return ++this.#charges;
      }
    }
    const { ports, names } = wrapped({ processor: new Processor(), limit: 5 });
    expect([ports.processor.charge(), ports.processor.refunds.create(), ports.processor.currency, ports.limit]).toEqual(
      [1, 'refund', 'EUR', 5],
    );
    expect(ports.processor).toBeInstanceOf(Processor);
    expect(ports.processor.charge).toBe(ports.processor.charge);
    expect(names()).toEqual(['processor.charge', 'processor.refunds.create']);
  });

  it('can be spread, frozen, and a function', () => {
    const { ports, names } = wrapped({ mailer: Object.freeze({ send: () => 1 }), carrier: () => 2 });
    expect([{ ...ports.mailer }.send(), ports.carrier()]).toEqual([1, 2]);
    expect(names()).toEqual(['mailer.send', 'carrier']);
  });

  it('is a client of the AWS SDK, whose commands are the calls', async () => {
    const client = new DynamoDBClient({ region: 'eu-central-1' });
    client.send = (async () => ({ sent: true })) as never;
    const { ports, names } = wrapped({ table: client });
    expect(await ports.table.send(new PutItemCommand({ TableName: 't', Item: {} }))).toEqual({ sent: true });
    expect(names()).toEqual(['table.PutItem']);
    expect(ports.table.config).toBe(client.config);
  });
});

describe('a call is a read', () => {
  it.each([
    ['orders.find', []],
    ['orders.getById', []],
    ['table.GetItem', []],
    ['table.BatchGetItem', []],
    ['table.Query', []],
    ['carrier', ['https://example.com']],
    ['carrier', [new URL('https://example.com'), { method: 'GET' }]],
  ])('%s %o', (name, args) => expect(isRead(name, args)).toBe(true));

  it.each([
    ['orders.insert', []],
    ['orders.settle', []],
    ['orders.getaway', []],
    ['orders.findOrCreate', []],
    ['table.PutItem', []],
    ['carrier', ['https://example.com', { method: 'POST' }]],
    ['find', []],
  ])('not %s %o', (name, args) => expect(isRead(name, args)).toBe(false));
});

describe('the key of a call', () => {
  it.each([
    ['a member with the name of a key', [{ amount: 1 }, { idempotencyKey: 'k' }], 'k'],
    ['a header', ['https://example.com', { headers: { 'Idempotency-Key': 'k' } }], 'k'],
    [
      'a header of a list of headers',
      ['https://example.com', { headers: new Headers({ 'idempotency-key': 'k' }) }],
      'k',
    ],
    ['a token of the AWS SDK', [{ input: { ClientRequestToken: 'k' } }], 'k'],
    ['a derived key as an argument', [{ amount: 1 }, DERIVED, undefined], DERIVED],
    ['a derived key as the id of what is written', [{ id: DERIVED, amount: 1 }], DERIVED],
  ])('is %s', (_, args, key) => expect(keyOfCall(args)).toBe(key));

  it.each([
    ['a random UUID', [{ amount: 1 }, RANDOM]],
    ['a random UUID as id', [{ id: RANDOM }]],
    ['a derived id of something else', [{ payment: DERIVED }]],
    ['a missing key', [{ idempotencyKey: undefined }]],
    ['nothing', []],
  ])('is not %s', (_, args) => expect(keyOfCall(args)).toBeUndefined());
});
