import { createHash, randomUUID } from 'node:crypto';
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { CompletedRecord, InProgressRecord } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { describe, expect, it } from 'vitest';
import { apiResponse, incompressible } from '../../tools/api-responses.ts';
import { type DynamoDBRequest, useFaultProxy } from '../support/fault-proxy.ts';
import { localClient, useTable } from '../support/table.ts';

const table = useTable();
const proxy = useFaultProxy();
const store = dynamoDBStore(table);
const EXPIRATION = 2_500_000_000;
/** Two items hold it, as base64 that compression makes a quarter smaller. */
const TWO_PARTS = JSON.stringify(incompressible(700_000).toString('base64'));

const completed = (json = TWO_PARTS, id = `op#${randomUUID()}`): CompletedRecord => ({
  id,
  status: 'COMPLETED',
  owner: 'me',
  attempt: 1,
  expiration: EXPIRATION,
  outcome: { type: 'RETURNED', json },
});

/** The record's item, and those of its parts. */
async function itemsOf(id: string, { client, tableName } = table, key = (pk: string): object => ({ id: pk })) {
  const document = DynamoDBDocumentClient.from(client);
  const get = async (pk: string) =>
    (await document.send(new GetCommand({ TableName: tableName, Key: key(pk), ConsistentRead: true }))).Item;
  const record = (await get(id)) ?? {};
  const parts: Record<string, unknown>[] = [];
  for (;;) {
    const part = await get(`${id}#${record['digest'] ?? record['sum']}#${parts.length + 1}`);
    if (part === undefined) return { record, parts };
    parts.push(part);
  }
}

describe('an outcome that no item can hold', () => {
  it.each([
    ['5 MB that nothing compresses', JSON.stringify(incompressible(5_000_000).toString('base64'))],
    ['6 MB of JSON', JSON.stringify(apiResponse(6_200_000))],
    ['16 MB that hardly compress', JSON.stringify(incompressible(12_000_000).toString('base64')).slice(0, 2 ** 24)],
  ])('is read back whole: %s', async (_name, json) => {
    const record = completed(json);
    expect(await store.insert(record)).toEqual({ done: true });
    expect(await store.read(record.id)).toStrictEqual(record);
    expect(await store.insert(record)).toStrictEqual({ done: false, existing: record });
  });

  it('is in items of their own, that say what they hold and live longer than their record', async () => {
    const record = completed();
    await store.insert(record);
    const { record: main, parts } = await itemsOf(record.id);
    expect(main).toEqual({
      id: record.id,
      status: 'COMPLETED',
      owner: 'me',
      attempt: 1,
      expiration: EXPIRATION,
      encoding: 'json+zstd',
      parts: 2,
      digest: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(parts.map((part) => part['id'])).toEqual([1, 2].map((part) => `${record.id}#${main['digest']}#${part}`));
    expect(parts.map((part) => Object.keys(part).toSorted())).toEqual(
      [1, 2].map(() => ['expiration', 'id', 'outcome']),
    );
    expect(parts.map((part) => part['expiration'])).toEqual([EXPIRATION + 3600, EXPIRATION + 3600]);
    const bytes = Buffer.concat(parts.map((part) => part['outcome'] as Uint8Array));
    expect(createHash('sha256').update(bytes).digest('base64url')).toBe(main['digest']);
  });

  it('is never read while it is written: the record comes last', async () => {
    const record = completed();
    const through = dynamoDBStore({ ...table, client: localClient({ endpoint: proxy.endpoint }) });
    await through.insert(record);
    expect(proxy.seen.map(({ operation }) => operation)).toEqual(['PutItem', 'PutItem', 'PutItem']);
    expect(proxy.seen.map(isPart)).toEqual([true, true, false]);
  });

  it('is written and read by a few requests at once', async () => {
    const record = completed(JSON.stringify(incompressible(8_000_000).toString('base64')));
    const peaks: number[] = [];
    const client = localClient();
    let running = 0;
    let peak = 0;
    client.middlewareStack.add(
      (next) => async (args) => {
        peak = Math.max(peak, ++running);
        try {
          return await next(args);
        } finally {
          running--;
        }
      },
      { step: 'build' },
    );
    const counted = dynamoDBStore({ ...table, client });
    for (const verb of [() => counted.insert(record), () => counted.read(record.id)]) {
      peak = 0;
      await verb();
      peaks.push(peak);
    }
    expect(peaks).toEqual([8, 8]);
    expect((await itemsOf(record.id)).parts.length).toBeGreaterThan(16);
  });

  it('keeps parts as long as the execution wants that keeps them longest', async () => {
    const longer = { ...completed(), expiration: EXPIRATION + 10 };
    await store.insert(longer);
    const expected = { owner: 'me', status: 'COMPLETED' } as const;
    expect(await store.replace({ ...completed(), id: longer.id }, expected)).toEqual({ done: true });
    const expirations = async () => (await itemsOf(longer.id)).parts.map((part) => part['expiration']);
    expect(await expirations()).toEqual([EXPIRATION + 3610, EXPIRATION + 3610]);
    await store.replace({ ...completed(), id: longer.id, expiration: EXPIRATION + 20 }, expected);
    expect(await expirations()).toEqual([EXPIRATION + 3620, EXPIRATION + 3620]);
  });
});

describe('a write that is tried again with the same outcome', () => {
  const through = () => dynamoDBStore({ ...table, client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1 }) });

  it('writes only the parts that are not there yet', async () => {
    const record = completed();
    let parts = 0;
    proxy.decide = (request) => (isPart(request) && ++parts === 2 ? 'throttle' : 'pass');
    const trying = through();
    await expect(trying.insert(record)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    expect(await store.read(record.id)).toBeUndefined();
    proxy.reset();
    expect(await trying.insert(record)).toEqual({ done: true });
    expect(proxy.seen.map(isPart)).toEqual([true, false]);
    expect(await store.read(record.id)).toEqual(record);
  });

  it('writes no part again when only the answer to the record was lost', async () => {
    const record = completed();
    proxy.decide = (request) => (isPart(request) ? 'pass' : 'lose answer');
    const trying = through();
    await expect(trying.insert(record)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    proxy.reset();
    expect(await trying.insert(record)).toEqual({ done: false, existing: record });
    expect(proxy.seen.filter(isPart).filter(({ operation }) => operation === 'PutItem')).toEqual([]);
  });

  it('writes them again for an expiration that is half an hour later, and not before', async () => {
    const record = completed();
    const trying = through();
    const completedAgain = { owner: 'me', status: 'COMPLETED' } as const;
    await trying.insert(record);
    await trying.replace({ ...record, expiration: EXPIRATION + 1800 }, completedAgain);
    expect(proxy.seen.map(isPart)).toEqual([true, true, false, false]);
    await trying.replace({ ...record, expiration: EXPIRATION + 1801 }, completedAgain);
    expect(proxy.seen.map(isPart)).toEqual([true, true, false, false, true, true, false]);
  });

  it('writes parts of its own for another record', async () => {
    const record = completed();
    const other = { ...record, id: `op#${randomUUID()}` };
    await store.insert(record);
    await store.insert(other);
    expect(await store.read(other.id)).toEqual(other);
  });
});

describe('an outcome of parts that is not whole', () => {
  const put = (item: object) =>
    table.client.send(new PutItemCommand({ TableName: table.tableName, Item: item as never }));
  const partIds = async (id: string) => (await itemsOf(id)).parts.map((part) => String(part['id']));
  const altered = (id: string, bytes: Uint8Array) => put({ id: { S: id }, outcome: { B: bytes } });
  const set = (id: string, expression: string, value: object) =>
    table.client.send(
      new UpdateItemCommand({
        TableName: table.tableName,
        Key: { id: { S: id } },
        UpdateExpression: `SET ${expression} = :value`,
        ExpressionAttributeValues: { ':value': value } as never,
      }),
    );

  it.each<[string, (record: string, parts: string[]) => Promise<unknown>]>([
    [
      'a part is gone',
      (_, [, second = '']) =>
        table.client.send(new DeleteItemCommand({ TableName: table.tableName, Key: { id: { S: second } } })),
    ],
    ['a part was altered', (_, [first = '']) => altered(first, Buffer.alloc(392 * 1024))],
    ['a part has no bytes', (_, [first = '']) => put({ id: { S: first } })],
    ['a part has text', (_, [first = '']) => put({ id: { S: first }, outcome: { S: '{}' } })],
    ['the record names fewer parts', (record) => set(record, 'parts', { N: '1' })],
    ['the record names more parts', (record) => set(record, 'parts', { N: '3' })],
    ['the record names no number of parts', (record) => set(record, 'parts', { N: '1.5' })],
    ['the record names parts without end', (record) => set(record, 'parts', { N: '1000000' })],
    ['the record names no parts', (record) => set(record, 'parts', { S: 'two' })],
    ['the record has another digest', (record) => set(record, 'digest', { S: 'x'.repeat(43) })],
    ['the record has no digest', (record) => set(record, 'digest', { N: '1' })],
  ])('is not replayable: %s', async (_name, damage) => {
    const record = completed();
    await store.insert(record);
    await damage(record.id, await partIds(record.id));
    const read = { ...record, outcome: { type: 'NOT_REPLAYABLE', reason: expect.any(String) } };
    expect(await store.read(record.id)).toEqual(read);
    expect(await store.insert(record)).toEqual({ done: false, existing: read });
  });

  it('is not replayable when its parts have changed places', async () => {
    const record = completed();
    await store.insert(record);
    const { parts } = await itemsOf(record.id);
    await altered(String(parts[0]?.['id']), parts[1]?.['outcome'] as Uint8Array);
    await altered(String(parts[1]?.['id']), parts[0]?.['outcome'] as Uint8Array);
    expect(await store.read(record.id)).toMatchObject({
      outcome: { type: 'NOT_REPLAYABLE', reason: expect.stringContaining('altered') },
    });
  });

  it.each(['throttle', 'lose answer'] as const)(
    'is COMPLETED, and unreadable for now, when a part cannot be read (%s)',
    async (fault) => {
      const record = completed();
      await store.insert(record);
      const client = localClient({ endpoint: proxy.endpoint, maxAttempts: 1 });
      const reading = dynamoDBStore({ ...table, client });
      proxy.decide = (request) => (isPart(request) ? fault : 'pass');
      const outcome = { type: 'UNREADABLE', error: expect.objectContaining({ code: 'STORE_UNAVAILABLE' }) };
      expect(await reading.read(record.id)).toEqual({ ...record, outcome });
      const retry = { ...record, outcome: { type: 'RETURNED' } } as const;
      expect(await reading.insert(retry)).toEqual({ done: false, existing: { ...record, outcome } });
      proxy.reset();
      expect(await reading.read(record.id)).toEqual(record);
    },
  );
});

describe('in a table of another shape', () => {
  const shared = useTable({ partitionKey: 'pk', sortKey: 'sk', ttlAttribute: 'ttl' });

  it('parts have the sort key and the names that were asked for', async () => {
    const attributes = { id: 'pk', expiration: 'ttl', outcome: 'result', parts: 'count', digest: 'sum' };
    const options = { ...shared, attributes, sortKey: { name: 'sk', value: 'IDEMPOTENCY' } };
    const record = completed();
    await dynamoDBStore(options).insert(record);
    expect(await dynamoDBStore(options).read(record.id)).toEqual(record);
    const { record: main, parts } = await itemsOf(record.id, shared, (pk) => ({ pk, sk: 'IDEMPOTENCY' }));
    expect(main).toMatchObject({ sk: 'IDEMPOTENCY', count: 2, sum: expect.any(String) });
    expect(parts).toHaveLength(2);
    for (const part of parts) {
      expect(part).toEqual({
        pk: expect.any(String),
        sk: 'IDEMPOTENCY',
        ttl: EXPIRATION + 3600,
        result: expect.any(Uint8Array),
      });
    }
  });

  it('and fit beside the longest key', async () => {
    const record: InProgressRecord = {
      id: 'o'.repeat(1024) + createHash('sha256').digest('base64url'),
      status: 'IN_PROGRESS',
      owner: 'me',
      attempt: 1,
      leaseUntil: 0,
      expiration: EXPIRATION,
    };
    const sorted = dynamoDBStore({
      ...shared,
      attributes: { id: 'pk', expiration: 'ttl', outcome: 'r'.repeat(255) },
      sortKey: { name: 'sk', value: 's'.repeat(1024) },
    });
    await sorted.insert(record);
    const done = { ...completed(TWO_PARTS, record.id), fingerprint: 'f'.repeat(43) };
    expect(await sorted.replace(done, { owner: 'me', status: 'IN_PROGRESS' })).toEqual({ done: true });
    expect(await sorted.read(record.id)).toEqual(done);
  });
});

/** Its id ends with a number behind a digest. */
function isPart({ body }: DynamoDBRequest): boolean {
  return /"id":\{"S":"[^"]+#[\w-]{43}#\d+"\}/.test(body);
}
