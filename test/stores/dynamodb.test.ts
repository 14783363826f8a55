import { randomUUID } from 'node:crypto';
import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { IdempotencyError, type InProgressRecord } from 'middy-idempotency';
import { dynamoDBStore, type TransactionItem } from 'middy-idempotency/dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { freePort } from '../../tools/dynamodb-local.ts';
import { useFaultProxy } from '../support/fault-proxy.ts';
import { localClient, useTable } from '../support/table.ts';
import { describeStore } from './conformance.ts';

const { tableName, client } = useTable();
const proxy = useFaultProxy();

const record = (): InProgressRecord => ({
  id: `op#${randomUUID()}`,
  status: 'IN_PROGRESS',
  owner: 'me',
  attempt: 1,
  leaseUntil: 2_400_000_000_000,
  expiration: 2_500_000_000,
});

async function failure(asked: Promise<unknown>): Promise<IdempotencyError> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(IdempotencyError);
  return error as IdempotencyError;
}

describeStore<TransactionItem>('DynamoDB', () => dynamoDBStore({ tableName, client }), {
  transactions: {
    write: (name) => ({ Put: { TableName: tableName, Item: { id: name } } }),
    refused: () => ({
      Put: {
        TableName: tableName,
        Item: { id: randomUUID() },
        ConditionExpression: 'attribute_exists(id)',
      },
    }),
    isWritten: async (name) => {
      const get = new GetCommand({ TableName: tableName, Key: { id: name }, ConsistentRead: true });
      return (await DynamoDBDocumentClient.from(client).send(get)).Item !== undefined;
    },
  },
});

describe('with a document client of the user', () => {
  const document = DynamoDBDocumentClient.from(localClient(), {
    unmarshallOptions: { wrapNumbers: true },
    marshallOptions: { removeUndefinedValues: true },
  });
  describeStore('DynamoDB, a document client with other translation options', () =>
    dynamoDBStore({ tableName, client: document }),
  );

  it("leaves the user's own translation options as they are", async () => {
    const base = localClient();
    const mine = DynamoDBDocumentClient.from(base, { marshallOptions: { removeUndefinedValues: true } });
    await dynamoDBStore({ tableName, client: base }).read('any');
    expect(mine.config.translateConfig).toEqual({ marshallOptions: { removeUndefinedValues: true } });
  });
});

describe('in a table of another shape', () => {
  const { tableName: shared, client: sharedClient } = useTable({
    partitionKey: 'pk',
    sortKey: 'sk',
    ttlAttribute: 'ttl',
  });
  const options = {
    tableName: shared,
    client: sharedClient,
    attributes: {
      id: 'pk',
      status: 'state',
      owner: 'token',
      expiration: 'ttl',
      outcome: 'result',
      leaseUntil: 'lease',
    },
    sortKey: { name: 'sk', value: 'IDEMPOTENCY' },
  } as const;
  describeStore('DynamoDB, other attribute names and a sort key', () => dynamoDBStore(options));

  it('writes the names that were asked for, readable in the console', async () => {
    const written = record();
    await dynamoDBStore(options).insert(written);
    const { Item } = await DynamoDBDocumentClient.from(sharedClient).send(
      new GetCommand({ TableName: shared, Key: { pk: written.id, sk: 'IDEMPOTENCY' } }),
    );
    expect(Item).toEqual({
      pk: written.id,
      sk: 'IDEMPOTENCY',
      state: 'IN_PROGRESS',
      token: 'me',
      attempt: 1,
      lease: 2_400_000_000_000,
      ttl: 2_500_000_000,
    });
  });
});

describe('an item that is no record', () => {
  const good = {
    status: { S: 'COMPLETED' },
    owner: { S: 'o' },
    attempt: { N: '1' },
    expiration: { N: '2500000000' },
    outcome: { S: '{}' },
    encoding: { S: 'json' },
  };

  it.each([
    ['nothing but its key', {}],
    ['a status of its own', { ...good, status: { S: 'DONE' } }],
    ['a number as status', { ...good, status: { N: '1' } }],
    ['no expiration', { ...good, expiration: undefined }],
    ['an expiration that is no number', { ...good, expiration: { S: 'tomorrow' } }],
    ['an attempt of 0', { ...good, attempt: { N: '0' } }],
    ['a fraction of an attempt', { ...good, attempt: { N: '1.5' } }],
    ['more attempts than can be counted', { ...good, attempt: { N: '9007199254740992' } }],
    ['no encoding', { ...good, encoding: undefined }],
    ['a number as outcome', { ...good, outcome: { N: '1' } }],
    ['a lease that is missing', { ...good, status: { S: 'IN_PROGRESS' } }],
    ['checkpoints that are no map', { ...good, status: { S: 'RELEASED' }, checkpoints: { S: '{}' } }],
    ['a checkpoint that is no text', { ...good, status: { S: 'RELEASED' }, checkpoints: { M: { a: { N: '1' } } } }],
  ])('with %s is RECORD_INVALID, never an execution', async (_, attributes) => {
    const id = `op#${randomUUID()}`;
    const Item = Object.fromEntries(
      Object.entries({ id: { S: id }, ...attributes }).filter(([, value]) => value !== undefined),
    );
    await client.send(new PutItemCommand({ TableName: tableName, Item: Item as never }));
    const store = dynamoDBStore({ tableName, client });
    expect((await failure(store.read(id))).code).toBe('RECORD_INVALID');
    expect((await failure(store.insert({ ...record(), id }))).code).toBe('RECORD_INVALID');
  });
});

describe('wrong options', () => {
  it.each([
    ['tableName', {}],
    ['tableName', { tableName: '' }],
    ['tableName', { tableName: undefined }],
    ['tableName', { tableName: ' ' }],
    ['client', { tableName, client: {} }],
    ['attributes.state', { tableName, attributes: { state: 'x' } }],
    ['attributes.id', { tableName, attributes: { id: '' } }],
    ['attributes.outcome', { tableName, attributes: { outcome: 'constructor' } }],
    ['attributes.digest', { tableName, attributes: { digest: '__proto__' } }],
    ['attributes', { tableName, attributes: { id: 'owner' } }],
    ['attributes', { tableName, attributes: null }],
    ['attributes', { tableName, attributes: [] }],
    ['sortKey', { tableName, sortKey: { name: 'sk' } }],
    ['sortKey', { tableName, sortKey: null }],
    ['sortKey', { tableName, sortKey: { name: 'sk', value: 'v', typo: 1 } }],
    ['attributes', { tableName, sortKey: { name: 'id', value: 'x' } }],
    ['table', { table: tableName }],
  ])('are refused at construction, naming %s', (option, options) => {
    expect(() => dynamoDBStore(options as never)).toThrow(`option \`${option}\``);
  });
});

describe('a table that cannot be used', () => {
  it('is STORE_UNAVAILABLE when it does not exist, and says which', async () => {
    const error = await failure(dynamoDBStore({ tableName: 'no-such-table', client }).insert(record()));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', statusCode: 503, retryable: false });
    expect(error.advice).toContain("'no-such-table'");
    expect(error.message).not.toContain('no-such-table');
    expect(error.cause).toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('is STORE_UNAVAILABLE when its key has another name, and says what to set', async () => {
    const error = await failure(dynamoDBStore({ tableName, client, attributes: { id: 'pk' } }).insert(record()));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false });
    expect(error.advice).toContain('attributes.id');
  });

  it('is STORE_UNAVAILABLE when nobody listens', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const store = dynamoDBStore({ tableName, client: localClient({ endpoint, maxAttempts: 1 }) });
    const error = await failure(store.insert(record()));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is STORE_UNAVAILABLE when access is denied, and names the permissions', async () => {
    const denied = Object.assign(new Error('User is not authorized'), {
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 400 },
    });
    const refusing = localClient();
    refusing.middlewareStack.add(
      () => async () => {
        throw denied;
      },
      { step: 'build' },
    );
    const error = await failure(dynamoDBStore({ tableName, client: refusing }).insert(record()));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false, cause: denied });
    expect(error.advice).toContain('dynamodb:PutItem, DeleteItem and GetItem');
  });
});

describe('a record that a transaction is writing', () => {
  const through = () => dynamoDBStore({ tableName, client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1 }) });
  const conflicts = (times: number) => {
    let left = times;
    proxy.decide = ({ operation }) => (operation !== 'GetItem' && left-- > 0 ? 'conflict' : 'pass');
  };

  it('is written, or removed, when the transaction is over', async () => {
    const store = through();
    const written = record();
    conflicts(2);
    expect(await store.insert(written)).toEqual({ done: true });
    conflicts(2);
    expect(await store.replace({ ...written, attempt: 2 }, written)).toEqual({ done: true });
    conflicts(2);
    expect(await store.remove(written.id, written)).toEqual({ done: true });
  });

  it('is what was there before, for a claim that meets it all the time: no failure of the table', async () => {
    const written = record();
    await dynamoDBStore({ tableName, client }).insert(written);
    conflicts(Number.POSITIVE_INFINITY);
    expect(await through().insert({ ...record(), id: written.id })).toEqual({ done: false, existing: written });
    expect(proxy.seen.map(({ operation }) => operation)).toEqual([...Array(5).fill('PutItem'), 'GetItem']);
  });

  it('is STORE_UNAVAILABLE for other writes that meet it all the time, and for a claim where there is nothing', async () => {
    const written = record();
    conflicts(Number.POSITIVE_INFINITY);
    for (const ask of [() => through().replace(written, written), () => through().insert(written)]) {
      const error = await failure(ask());
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
      expect(error.advice).toContain('A transaction was writing to the record all the time');
    }
  });
});

describe('its own client', () => {
  it('is told what is missing where there is no region: nothing was sent', async () => {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    const error = await failure(dynamoDBStore({ tableName }).insert(record()));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false });
    expect(error.advice).toContain('Set AWS_REGION');
    vi.unstubAllEnvs();
  });

  it('is refused, and no answer is missing, where its endpoint cannot be: nothing was sent', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', proxy.endpoint);
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    const error = await failure(dynamoDBStore({ tableName }).insert(record()));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false, cause: { name: 'EndpointError' } });
    expect(error.unanswered).toBeUndefined();
    expect(proxy.seen).toEqual([]);
    vi.unstubAllEnvs();
  });

  it('is made only when it is used: a store needs no region and no credentials to be constructed', () => {
    expect(() => dynamoDBStore({ tableName: 'any' })).not.toThrow();
  });

  it('gives a request that hangs up, and sends it again', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', proxy.endpoint);
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    let hung = false;
    proxy.decide = () => {
      if (hung) return 'pass';
      hung = true;
      return 'hang';
    };
    const written = record();
    expect(await dynamoDBStore({ tableName }).insert(written)).toEqual({ done: true });
    expect(proxy.seen).toHaveLength(2);
    vi.unstubAllEnvs();
  });
});

describe('prime', () => {
  const primed = (options: object = {}) =>
    dynamoDBStore({ tableName, client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1, ...options }) }).prime();

  it('makes one request, which changes nothing', async () => {
    await primed();
    expect(proxy.seen).toMatchObject([{ operation: 'GetItem', body: expect.stringContaining('"prime"') }]);
    expect(
      await client.send(
        new ScanCommand({
          TableName: tableName,
          FilterExpression: 'id = :id',
          ExpressionAttributeValues: { ':id': { S: 'prime' } },
        }),
      ),
    ).toMatchObject({ Items: [] });
  });

  it.each(['fail', 'lose answer'] as const)('does not fail an initialisation with DynamoDB: %s', async (fault) => {
    proxy.decide = () => fault;
    expect(await primed()).toBeUndefined();
  });

  it('does not use up an initialisation when DynamoDB is silent', async () => {
    proxy.decide = () => 'hang';
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const initialised = primed({ requestHandler: {} });
    await vi.advanceTimersByTimeAsync(2000);
    vi.useRealTimers();
    expect(await initialised).toBeUndefined();
  });
});
