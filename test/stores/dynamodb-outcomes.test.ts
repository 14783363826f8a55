import { randomUUID } from 'node:crypto';
import { constants, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { CompletedRecord, StoredOutcome } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { describe, expect, it } from 'vitest';
import { apiResponse } from '../../tools/api-responses.ts';
import { useTable } from '../support/table.ts';
import { completed } from './completed.ts';

const table = useTable();
const document = DynamoDBDocumentClient.from(table.client);
const store = dynamoDBStore(table);

async function stored(outcome: StoredOutcome) {
  const record = completed(outcome);
  expect(await store.insert(record)).toEqual({ done: true });
  const { Item } = await document.send(new GetCommand({ TableName: table.tableName, Key: { id: record.id } }));
  return { record, item: Item ?? {} };
}

/** Reads an item that was put there by hand, in both ways that a record is read. */
async function outcomeOf(attributes: object): Promise<StoredOutcome> {
  const id = `op#${randomUUID()}`;
  const base = { id: { S: id }, status: { S: 'COMPLETED' }, owner: { S: 'o' }, attempt: { N: '1' } };
  const Item = { ...base, expiration: { N: '2500000000' }, ...attributes };
  await table.client.send(new PutItemCommand({ TableName: table.tableName, Item }));
  const read = (await store.read(id)) as CompletedRecord;
  expect(await store.insert(completed({ type: 'RETURNED' }))).toEqual({ done: true });
  expect(await store.insert({ ...completed({ type: 'RETURNED' }), id })).toEqual({ done: false, existing: read });
  expect(read.status).toBe('COMPLETED');
  return read.outcome;
}

const text = (length: number) => JSON.stringify(apiResponse(length));

describe('an outcome of more than 768 bytes', () => {
  it.each([
    ['RETURNED', 'json+zstd'],
    ['THREW', 'error+json+zstd'],
  ] as const)('that was %s is compressed, and says so', async (type, encoding) => {
    const json = text(20_000);
    const { record, item } = await stored({ type, json });
    expect(item['encoding']).toBe(encoding);
    expect(zstdDecompressSync(item['outcome']).toString()).toBe(json);
    expect(item['outcome'].length).toBeLessThan(json.length / 3);
    expect(await store.read(record.id)).toEqual(record);
    expect(await store.insert(record)).toEqual({ done: false, existing: record });
  });
});

describe('an outcome of less than 768 bytes', () => {
  it('is text that a person can read in the console', async () => {
    const json = text(500);
    const { item } = await stored({ type: 'RETURNED', json });
    expect(item).toMatchObject({ encoding: 'json', outcome: json });
  });
});

describe('an outcome as earlier versions wrote it', () => {
  it.each([5000, 1_000_000])('is read from gzip: %d bytes', async (length) => {
    const json = text(length);
    const attributes = { encoding: { S: 'json+gzip' }, outcome: { B: gzipSync(json) } };
    expect(await outcomeOf(attributes)).toEqual({ type: 'RETURNED', json });
  });
});

describe.each([
  ['zstd', (bytes: string | Uint8Array) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
  ['gzip', (bytes: string | Uint8Array) => gzipSync(bytes)],
] as const)('an outcome that cannot be read is not replayable, never garbage: %s', (name, pack) => {
  const packed = pack(text(5000));
  const altered = Uint8Array.from(packed);
  altered[1000] = (altered[1000] ?? 0) ^ 0xff;
  const encoding = { S: `json+${name}` };

  it.each([
    ['text where bytes should be', { encoding, outcome: { S: '{}' } }],
    ['bytes that are not compressed', { encoding, outcome: { B: Buffer.from('{}') } }],
    ['a byte altered', { encoding, outcome: { B: altered } }],
    ['the end cut off', { encoding, outcome: { B: packed.subarray(0, -1) } }],
    ['bytes that are no UTF-8', { encoding, outcome: { B: pack(Buffer.from([0xff])) } }],
    ['more bytes than any outcome', { encoding, outcome: { B: pack('x'.repeat(2 ** 25)) } }],
    ['no outcome', { encoding: { S: 'json' } }],
  ])('with %s', async (_name, attributes) => {
    expect(await outcomeOf(attributes)).toMatchObject({ type: 'NOT_REPLAYABLE' });
  });

  it.each(['yaml', 'json+lz4', 'error+json+other'])(
    'is unreadable for now with an encoding of a later version: %s',
    async (encoding) => {
      expect(await outcomeOf({ encoding: { S: encoding }, outcome: { B: Buffer.from('{}') } })).toMatchObject({
        type: 'UNREADABLE',
        error: { code: 'STORE_UNAVAILABLE', retryable: true, advice: expect.stringContaining('Deploy the version') },
      });
    },
  );

  it('and the text form of before is read as it was', async () => {
    const json = text(20_000);
    expect(await outcomeOf({ encoding: { S: 'json' }, outcome: { S: json } })).toEqual({ type: 'RETURNED', json });
  });
});
