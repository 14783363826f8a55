import { randomBytes, randomUUID } from 'node:crypto';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { dynamoDBStore, type OutcomeCodec } from 'middy-idempotency/dynamodb';
import { describe, expect, it } from 'vitest';
import type { InProgressRecord } from '../../src/core/record/record.ts';
import { decoded } from '../support/decoded.ts';
import { useFaultProxy } from '../support/fault-proxy.ts';
import { localClient, useTable } from '../support/table.ts';

const table = useTable();
const proxy = useFaultProxy();

/** Turns every byte round, and refuses what belongs to something else. */
const reversing: OutcomeCodec = {
  name: 'reversing',
  encode: (bytes, { id, label }) => Buffer.concat([Buffer.from(`${id} ${label}\n`), Buffer.from(bytes).reverse()]),
  decode(bytes, { id, label }) {
    const head = `${id} ${label}\n`;
    const buffer = Buffer.from(bytes);
    if (buffer.subarray(0, head.length).toString() !== head) throw new Error('it belongs to something else');
    return buffer.subarray(head.length).reverse();
  },
};

const record = (checkpoints: Record<string, string>): InProgressRecord => ({
  id: `test#${randomUUID()}`,
  status: 'IN_PROGRESS',
  owner: randomUUID(),
  attempt: 1,
  leaseUntil: Date.UTC(2040, 0, 1),
  expiration: Date.UTC(2040, 0, 2) / 1000,
  checkpoints,
});

const itemOf = async (id: string) => {
  const { Item } = await DynamoDBDocumentClient.from(table.client).send(
    new GetCommand({ TableName: table.tableName, Key: { id } }),
  );
  return Item;
};

it.each([
  ['as they are', undefined],
  ['through a codec', reversing],
])('keeps checkpoints %s, short ones and long ones, and answers them to whoever is in their way', async (_, codec) => {
  const store = dynamoDBStore({ ...table, ...(codec && { codec }) });
  const kept = record({
    short: '{"result":1}',
    long: JSON.stringify({ result: 'reserved '.repeat(500) }),
    constructor: '{}',
  });
  expect(await store.insert(kept)).toEqual({ done: true });
  expect(await decoded(await store.read(kept.id))).toEqual(kept);
  expect(await store.insert(record({}))).toEqual({ done: true });
  const answer = await store.insert({ ...kept, owner: 'another' });
  expect(answer.done || (await decoded(answer.existing))).toEqual(kept);
});

it('writes nothing of a checkpoint in plain text when there is a codec', async () => {
  const store = dynamoDBStore({ ...table, codec: reversing });
  const kept = record({ charge: '{"result":"secret"}' });
  await store.insert(kept);
  const item = await itemOf(kept.id);
  expect(item?.['checkpoints'].charge.encoding).toBe('+reversing');
  expect(Buffer.from(item?.['checkpoints'].charge.value).toString()).not.toContain('secret');
});

it('compresses a long checkpoint', async () => {
  const kept = record({ long: JSON.stringify({ result: 'reserved '.repeat(500) }) });
  await dynamoDBStore(table).insert(kept);
  const item = await itemOf(kept.id);
  expect(item?.['checkpoints'].long.value.length).toBeLessThan(300);
});

it('refuses checkpoints that it cannot read: a finished step must not run again', async () => {
  const kept = record({ charge: '{"result":1}' });
  await dynamoDBStore({ ...table, codec: reversing }).insert(kept);
  const other = { ...reversing, decode: () => Promise.reject(new Error('it belongs to another codec')) };
  const read = await dynamoDBStore({ ...table, codec: other }).read(kept.id);
  await expect(decoded(read)).rejects.toMatchObject({ code: 'RECORD_INVALID' });
});

it('says that they cannot be read now, when the codec says so or is not known', async () => {
  const kept = record({ charge: '{"result":1}' });
  await dynamoDBStore({ ...table, codec: reversing }).insert(kept);
  const codec = {
    ...reversing,
    decode: () => {
      throw Object.assign(new Error('throttled'), { retryable: true });
    },
  };
  for (const store of [dynamoDBStore({ ...table, codec }), dynamoDBStore(table)]) {
    await expect(decoded(await store.read(kept.id))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
    });
  }
});

describe('results that a record would carry with every write', () => {
  const through = (codec?: OutcomeCodec) =>
    dynamoDBStore({
      ...table,
      client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1 }),
      ...(codec && { codec }),
    });
  /** A result that no compression makes smaller. */
  const result = (bytes: number) => JSON.stringify({ result: randomBytes(bytes * 0.75).toString('base64') });
  const ids = () => proxy.seen.flatMap(({ body }) => JSON.parse(body).Item?.id.S ?? []);

  it.each([
    ['as they are', undefined],
    ['through a codec', reversing],
  ])('have items of their own, written once and before the record that names them: %s', async (_, codec) => {
    const store = through(codec);
    const [first, second] = [result(4000), result(4000)];
    const begun = record({});
    const write = (checkpoints: Record<string, string>, expiration = begun.expiration) =>
      store.replace({ ...begun, checkpoints, expiration }, { owner: begun.owner, status: 'IN_PROGRESS' });
    await store.insert(begun);
    await write({ first });
    await write({ first, second }, begun.expiration + 60);
    const { id } = begun;
    expect(ids().map((written) => written.replace(/#[^#]{43}#1$/, '#item'))).toEqual([
      id,
      `${id}#item`,
      id,
      `${id}#item`,
      id,
    ]);
    const item = await itemOf(id);
    expect(JSON.stringify(item).length).toBeLessThan(1024);
    expect(await decoded(await dynamoDBStore({ ...table, ...(codec && { codec }) }).read(id))).toMatchObject({
      checkpoints: { first, second },
    });
  });

  it('are named again by a takeover, and written again only when they would not last', async () => {
    const { id, owner, expiration, ...begun } = record({ charge: result(4000) });
    const store = through();
    await store.insert({ ...begun, id, owner, expiration });
    /** By a process that has not written them. */
    const takeOver = async (later: number) => {
      const other = through();
      const { checkpoints } = (await decoded(await other.read(id))) as InProgressRecord;
      proxy.seen.length = 0;
      expect(
        await other.replace({ ...begun, id, owner, expiration: expiration + later, checkpoints } as InProgressRecord, {
          owner,
          status: 'IN_PROGRESS',
        }),
      ).toMatchObject({ done: true });
      expect(await decoded(await through().read(id))).toMatchObject({ checkpoints: begun.checkpoints });
      return ids();
    };
    expect(await takeOver(1799)).toEqual([id]);
    const part = expect.stringMatching(/#[^#]{43}#1$/);
    expect(await takeOver(1801)).toEqual([part, id]);
    // Then they last for half an hour more.
    expect(await takeOver(3600)).toEqual([id]);
  });

  it('stay in the record while they are small', async () => {
    const kept = record(Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`step ${index}`, result(200)])));
    await through().insert(kept);
    expect(ids()).toEqual([kept.id]);
    expect(await decoded(await through().read(kept.id))).toEqual(kept);
  });

  it('that are lost or altered are RECORD_INVALID: a finished step must not run again', async () => {
    const kept = record({ charge: result(4000) });
    const store = through();
    await store.insert(kept);
    const [part = ''] = ids();
    await table.client.send(new DeleteItemCommand({ TableName: table.tableName, Key: { id: { S: part } } }));
    await expect(decoded(await store.read(kept.id))).rejects.toMatchObject({ code: 'RECORD_INVALID' });
  });

  it('that cannot be written leave the record as it was, and can be tried again', async () => {
    const store = through();
    const begun = record({});
    await store.insert(begun);
    const charge = result(4000);
    const write = () =>
      store.replace({ ...begun, checkpoints: { charge } }, { owner: begun.owner, status: 'IN_PROGRESS' });
    proxy.decide = () => 'throttle';
    await expect(write()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    proxy.reset();
    expect((await itemOf(begun.id))?.['checkpoints']).toEqual({});
    expect(await write()).toMatchObject({ done: true });
    expect(await decoded(await store.read(begun.id))).toMatchObject({ checkpoints: { charge } });
  });

  it('of more than 16 MB are refused as a record is that is too large', async () => {
    const kept = record({ charge: 'x'.repeat(16 * 1024 * 1024 + 1) });
    await expect(through().insert(kept)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', recordRefused: true });
  });

  it('are packed once, however many writes carry them', async () => {
    let encoded = 0;
    const counting: OutcomeCodec = {
      ...reversing,
      encode: (...args) => {
        encoded++;
        return reversing.encode(...args);
      },
    };
    const store = through(counting);
    const begun = record({});
    const checkpoints: Record<string, string> = {};
    await store.insert(begun);
    for (let index = 0; index < 10; index++) {
      checkpoints[`step ${index}`] = result(index * 100);
      await store.replace({ ...begun, checkpoints: { ...checkpoints } }, { owner: begun.owner, status: 'IN_PROGRESS' });
    }
    expect(encoded).toBe(10);
  });
});
