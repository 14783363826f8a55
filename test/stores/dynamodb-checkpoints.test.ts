import { randomUUID } from 'node:crypto';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { dynamoDBStore, type OutcomeCodec } from 'middy-idempotency/dynamodb';
import { expect, it } from 'vitest';
import type { InProgressRecord } from '../../src/core/record/record.ts';
import { decoded } from '../support/decoded.ts';
import { useTable } from '../support/table.ts';

const table = useTable();

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
