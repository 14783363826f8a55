import { randomUUID } from 'node:crypto';
import type { RecordStore } from 'middy-idempotency';
import { dynamoDBStore as sdkStore, type TransactionItem } from 'middy-idempotency/dynamodb';
import { dynamoDBStore } from 'middy-idempotency/dynamodb/lite';
import { describe, expect, inject, it, vi } from 'vitest';
import { LOCAL_ACCESS } from '../../../tools/clients.ts';
import { useTable } from '../../support/table.ts';
import { describeStore } from '../conformance.ts';

const { tableName, client } = useTable();
const local = () => ({ endpoint: inject('dynamoDBEndpoint'), ...LOCAL_ACCESS });

describeStore('DynamoDB without the SDK', () => dynamoDBStore({ tableName, ...local() }));

describe('in a table of another shape', () => {
  const other = useTable({ partitionKey: 'pk', sortKey: 'sk', ttlAttribute: 'ttl' });
  describeStore('DynamoDB without the SDK, other attribute names and a sort key', () =>
    dynamoDBStore({
      tableName: other.tableName,
      ...local(),
      attributes: { id: 'pk', status: 'state', owner: 'token', expiration: 'ttl', outcome: 'result' },
      sortKey: { name: 'sk', value: 'IDEMPOTENCY' },
    }),
  );
});

describe('a record of one store', () => {
  const stores: (readonly [string, () => RecordStore<TransactionItem>])[] = [
    ['the SDK', () => sdkStore({ tableName, client })],
    ['lite', () => dynamoDBStore({ tableName, ...local() })],
  ];
  const pairs = stores.flatMap(([writer, write]) =>
    stores.map(([reader, read]) => [writer, reader, write, read] as const),
  );

  it.each(pairs)('is read as it was: written by %s, read by %s', async (_, __, write, read) => {
    const id = `op#${randomUUID()}`;
    const running = {
      ...{
        id,
        status: 'IN_PROGRESS' as const,
        owner: 'me',
        attempt: 3,
        leaseUntil: 2_400_000_000_000,
        expiration: 2_500_000_000,
      },
      ...{ fingerprint: 'fp', checkpoints: { short: '{"result":1}', long: `{"result":"${'long '.repeat(1000)}"}` } },
    } as const;
    expect(await write().insert(running)).toEqual({ done: true });
    expect(await read().insert({ ...running, owner: 'other' })).toMatchObject({
      done: false,
      existing: { id, owner: 'me', attempt: 3 },
    });
    const json = JSON.stringify({ body: 'long '.repeat(1000) });
    const done = {
      id,
      status: 'COMPLETED',
      owner: 'me',
      attempt: 3,
      expiration: 2_500_000_000,
      outcome: { type: 'RETURNED', json },
    } as const;
    expect(await write().replace(done, running)).toEqual({ done: true });
    expect(await read().read(id)).toEqual(done);
  });
});

describe('wrong options', () => {
  it.each([
    ['tableName', {}],
    ['client', { tableName, client }],
    ['region', { tableName, region: '' }],
    ['region', { tableName, region: 'evil.example/' }],
    ['region', { tableName, region: 1 }],
    ['endpoint', { tableName, endpoint: 'localhost:8000' }],
    ['endpoint', { tableName, endpoint: 'ftp://host' }],
    ['endpoint', { tableName, endpoint: 'http://host/?query' }],
    ['endpoint', { tableName, endpoint: new URL('http://host') }],
    ['credentials', { tableName, credentials: {} }],
    ['credentials', { tableName, credentials: null }],
    ['credentials', { tableName, credentials: { accessKeyId: 'a', secretAccessKey: '' } }],
    ['credentials', { tableName, credentials: 'a' }],
  ])('are refused at construction, naming %s', (option, options) => {
    expect(() => dynamoDBStore(options as never)).toThrow(`option \`${option}\``);
  });

  it('are none where a setting is left to the environment', () => {
    const settings = { region: undefined, endpoint: undefined, credentials: undefined };
    expect(() => dynamoDBStore({ tableName: 'any', ...settings })).not.toThrow();
  });
});

describe('the environment', () => {
  it('is all that a Lambda function needs to give', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', inject('dynamoDBEndpoint'));
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    // DynamoDB Local has one database for all regions and credentials.
    expect(await dynamoDBStore({ tableName }).read('op#absent')).toBeUndefined();
    vi.unstubAllEnvs();
  });
});
