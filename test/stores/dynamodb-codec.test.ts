import { randomBytes, randomUUID } from 'node:crypto';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { StoredOutcome } from 'middy-idempotency';
import { dynamoDBStore, type OutcomeCodec } from 'middy-idempotency/dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { apiResponse, incompressible } from '../../tools/api-responses.ts';
import { aesGcm } from '../support/aes-gcm-codec.ts';
import { newOrder, thrownBy, useGuards } from '../support/harness.ts';
import { page } from '../support/pages.ts';
import { completed } from './completed.ts';
import { describeStore } from './conformance.ts';

const guards = useGuards();
const { table } = guards;
const key = randomBytes(32);
const storeWith = (codec?: OutcomeCodec) => dynamoDBStore({ ...table, ...(codec !== undefined && { codec }) });
const document = DynamoDBDocumentClient.from(table.client);
const itemOf = async (id: unknown) =>
  (await document.send(new GetCommand({ TableName: table.tableName, Key: { id }, ConsistentRead: true }))).Item ?? {};

const response = { statusCode: 200, body: '{"iban":"DE02120300000000202051"}' };
const small: StoredOutcome = { type: 'RETURNED', json: JSON.stringify(response) };

/** Shifts every byte by one: something that can be seen. */
const shifted = (changes: Partial<OutcomeCodec> = {}): OutcomeCodec => ({
  name: 'shifted',
  encode: (bytes) => bytes.map((byte) => byte + 1),
  decode: (bytes) => bytes.map((byte) => byte - 1),
  ...changes,
});

describeStore('DynamoDB, with outcomes encrypted by AES-256-GCM', () => storeWith(aesGcm(key)), { hidesReasons: true });

it('the codec in the recipe is the one that is tested here', () => {
  const codec = page('test/support/aes-gcm-codec.ts');
  expect(page('docs/recipes/encryption.md').includes(`\`\`\`ts\n${codec}\`\`\`\n`)).toBe(true);
});

describe('a codec', () => {
  it.each([
    ['small', 'json+shifted', JSON.stringify('small')],
    ['compressed', 'json+zstd+shifted', JSON.stringify(apiResponse(5000))],
    ['in parts', 'json+zstd+shifted', JSON.stringify(incompressible(700_000).toString('base64'))],
  ])('gets the bytes of an outcome, %s, and says so in the encoding', async (_name, encoding, json) => {
    const record = completed({ type: 'RETURNED', json });
    const store = storeWith(shifted({ encode: async (bytes) => bytes.map((byte) => byte + 1) }));
    await store.insert(record);
    expect((await itemOf(record.id))['encoding']).toBe(encoding);
    expect(await store.read(record.id)).toEqual(record);
  });

  it('is told which record it works for, and for what of it', async () => {
    const encode = vi.fn(shifted().encode);
    const decode = vi.fn(shifted().decode);
    const store = storeWith(shifted({ encode, decode }));
    const returned = completed(small);
    const threw = completed({ type: 'THREW', json: '{"value":1}' });
    for (const record of [returned, threw]) {
      await store.insert(record);
      await store.read(record.id);
    }
    const told = [
      { id: returned.id, label: 'returned' },
      { id: threw.id, label: 'threw' },
    ];
    expect(encode.mock.calls.map(([, context]) => context)).toEqual(told);
    expect(decode.mock.calls.map(([, context]) => context)).toEqual(told);
  });

  it('leaves nothing of the outcome in the table that could be read', async () => {
    const order = newOrder();
    await guards.guarded({ handler: async () => response, options: { store: storeWith(aesGcm(key)) } })(order);
    const item = await itemOf(guards.events.at(-1)?.id);
    expect(Buffer.from(item['outcome'] as Uint8Array).toString('latin1')).not.toContain('DE02');
    expect(await guards.guarded({ handler: vi.fn(), options: { store: storeWith(aesGcm(key)) } })(order)).toEqual(
      response,
    );
  });

  it('leaves no reason in the table, as that may quote what the handler answered', async () => {
    const failing = () => {
      throw new Error('DE02120300000000202051 is no IBAN');
    };
    const call = guards.guarded({
      handler: async () => ({ toJSON: failing }),
      options: { store: storeWith(shifted()) },
    });
    const order = newOrder();
    await call(order);
    expect(guards.events.at(-1)).toMatchObject({ type: 'completed', notReplayable: expect.stringContaining('DE02') });
    const item = await itemOf(guards.events.at(-1)?.id);
    expect(item).toMatchObject({ encoding: 'not-replayable', outcome: expect.not.stringContaining('DE02') });
    expect(await thrownBy(call(order))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
  });

  it('reads records that were written before it was given', async () => {
    const record = completed(small);
    await storeWith().insert(record);
    expect(await storeWith(shifted()).read(record.id)).toEqual(record);
  });

  it.each([
    ['no codec', undefined],
    ['a codec of another name', shifted({ name: 'other' })],
  ])('makes records unreadable for now for a store with %s', async (_name, codec) => {
    const record = completed(small);
    await storeWith(shifted()).insert(record);
    expect(await storeWith(codec).read(record.id)).toMatchObject({
      outcome: { type: 'UNREADABLE', error: { code: 'STORE_UNAVAILABLE', retryable: true } },
    });
  });

  it('makes records not replayable for a store with another key', async () => {
    const record = completed(small);
    await storeWith(aesGcm(key)).insert(record);
    expect(await storeWith(aesGcm(randomBytes(32))).read(record.id)).toMatchObject({
      outcome: { type: 'NOT_REPLAYABLE' },
    });
  });

  it.each([
    ['another record', (item: object) => ({ ...item, id: `op#${randomUUID()}` })],
    ['an error', (item: object) => ({ ...item, encoding: 'error+json+aes-256-gcm' })],
  ])('that binds its bytes to the record gives none of them to %s', async (_name, moved) => {
    const store = storeWith(aesGcm(key));
    const record = completed(small);
    await store.insert(record);
    const item = moved(await itemOf(record.id)) as { id: string };
    await document.send(new PutCommand({ TableName: table.tableName, Item: item }));
    expect(await store.read(item.id)).toMatchObject({ outcome: { type: 'NOT_REPLAYABLE' } });
  });
});

const throttled = () => Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException', $metadata: {} });
const failing = (error: unknown) => () => {
  throw error;
};

describe('encoding that fails never leaves plain text, and never a second execution', () => {
  async function callAndRetry(codec: OutcomeCodec) {
    const handler = vi.fn(async () => response);
    const call = guards.guarded({ handler, options: { store: storeWith(codec) } });
    const order = newOrder();
    expect(await call(order)).toEqual(response);
    const retry = await call(order).catch((error: unknown) => error);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(JSON.stringify(await itemOf(guards.events.at(-1)?.id))).not.toContain('DE02');
    return retry;
  }

  it('for good: the record says that the work is done', async () => {
    const encode = vi.fn(failing(new Error('key is disabled')));
    expect(await callAndRetry(shifted({ encode }))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
    expect(encode).toHaveBeenCalledTimes(1);
  });

  it('by answering no bytes: the record says that the work is done', async () => {
    const encode = () => 'text' as never;
    expect(await callAndRetry(shifted({ encode }))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
  });

  it('for a moment: it is tried again, and the outcome is stored', async () => {
    const encode = vi.fn(shifted().encode).mockImplementationOnce(failing(throttled()));
    expect(await callAndRetry(shifted({ encode }))).toEqual(response);
    expect(encode).toHaveBeenCalledTimes(2);
  });

  it('for longer than a few tries: the record says that the work is done', async () => {
    const encode = vi.fn(failing(throttled()));
    expect(await callAndRetry(shifted({ encode }))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
    expect(encode).toHaveBeenCalledTimes(3);
  });

  it('is not asked again when only the write of the record failed', async () => {
    const encode = vi.fn(shifted().encode);
    const store = storeWith(shifted({ encode }));
    const replace = vi.fn(store.replace).mockImplementationOnce(async (...args) => {
      await store.replace(...args);
      throw new Error('the answer was lost');
    });
    const order = newOrder();
    const call = guards.guarded({ handler: async () => response, options: { store: { ...store, replace } } });
    await call(order);
    expect(await call(order)).toEqual(response);
    expect(replace).toHaveBeenCalledTimes(2);
    expect(encode).toHaveBeenCalledTimes(1);
  });

  it('by growing beyond all parts: the record says that the work is done', async () => {
    const encode = () => new Uint8Array(65 * 392 * 1024);
    expect(await callAndRetry(shifted({ encode }))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
  });
});

describe('decoding that fails executes nothing', () => {
  const sdkError = (name: string, more: object = {}) => Object.assign(new Error(name), { name, ...more });

  it.each([
    ['says that it is retryable', Object.assign(new Error('later'), { retryable: true })],
    ['is throttling', throttled()],
    ['is a 5xx of AWS', sdkError('KMSInternalException', { $metadata: { httpStatusCode: 500 } })],
    ['is a 429', sdkError('Busy', { $metadata: { httpStatusCode: 429 } })],
    ['is marked by the SDK', sdkError('Busy', { $retryable: {} })],
    ['is a timeout', sdkError('TimeoutError')],
    ['is the network', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
  ])('503, and the outcome later, when the error %s', async (_name, error) => {
    const handler = vi.fn(async () => response);
    const decode = vi.fn(shifted().decode).mockImplementationOnce(failing(error));
    const call = guards.guarded({ handler, options: { store: storeWith(shifted({ decode })) } });
    const order = newOrder();
    await call(order);
    expect(await thrownBy(call(order))).toMatchObject({ code: 'STORE_UNAVAILABLE', statusCode: 503, cause: error });
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'claimFailed']);
    expect(await call(order)).toEqual(response);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['is any other', new Error('Unsupported state or unable to authenticate data')],
    ['is a refusal of AWS', sdkError('AccessDeniedException', { $metadata: { httpStatusCode: 400 } })],
    ['is no error', undefined],
  ])('RESPONSE_NOT_REPLAYABLE when the error %s', async (_name, error) => {
    const handler = vi.fn(async () => response);
    const call = guards.guarded({ handler, options: { store: storeWith(shifted({ decode: failing(error) })) } });
    const order = newOrder();
    await call(order);
    expect(await thrownBy(call(order))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'notReplayable']);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('RESPONSE_NOT_REPLAYABLE when it answers no bytes', async () => {
    const record = completed(small);
    await storeWith(shifted()).insert(record);
    const outcome = { type: 'NOT_REPLAYABLE', reason: expect.stringContaining("'shifted'") };
    expect(await storeWith(shifted({ decode: () => 'text' as never })).read(record.id)).toMatchObject({ outcome });
  });
});

it.each([
  ['codec', null],
  ['codec', {}],
  ['codec', { name: 'x', encode: () => undefined }],
  ['codec.name', shifted({ name: '' })],
  ['codec.name', shifted({ name: 'a+b' })],
  ['codec.name', shifted({ name: 'gzip' })],
  ['codec.name', shifted({ name: 'zstd' })],
  ['codec.name', shifted({ name: 'n'.repeat(65) })],
])('a wrong codec is refused at construction, naming %s', (option, codec) => {
  expect(() => dynamoDBStore({ ...table, codec: codec as never })).toThrow(`option \`${option}\``);
});
