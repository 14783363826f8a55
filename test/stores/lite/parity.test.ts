import { NumberValue } from '@aws-sdk/lib-dynamodb';
import type { IdempotencyError, InProgressRecord, RecordStore } from 'middy-idempotency';
import { dynamoDBStore as sdkStore, type TransactionItem } from 'middy-idempotency/dynamodb';
import { describe, expect, it } from 'vitest';
import { liteConnection } from '../../../src/stores/dynamodb/lite/connection.ts';
import { resolveTableOptions } from '../../../src/stores/dynamodb/options.ts';
import { recordStore } from '../../../src/stores/dynamodb/store.ts';
import { LOCAL_ACCESS } from '../../../tools/clients.ts';
import { type DynamoDBRequest, useFaultProxy } from '../../support/fault-proxy.ts';
import { thrownBy } from '../../support/harness.ts';
import type { Fault } from '../../support/proxy.ts';
import { localClient, useTable } from '../../support/table.ts';

const { tableName } = useTable();
const proxy = useFaultProxy();

type Store = RecordStore<TransactionItem>;
type Verb = (store: Store, id: string) => Promise<unknown>;

const running = (id: string): InProgressRecord => ({
  ...{ id, status: 'IN_PROGRESS', owner: 'me', attempt: 1, leaseUntil: 2_400_000_000_000, expiration: 2_500_000_000 },
  ...{ fingerprint: 'f', checkpoints: { short: '{"result":1}', long: `{"result":"${'long '.repeat(1000)}"}` } },
});
const completed = (id: string, json: string) =>
  ({
    id,
    status: 'COMPLETED',
    owner: 'me',
    attempt: 1,
    expiration: 2_500_000_000,
    outcome: { type: 'RETURNED', json },
  }) as const;

const items = (id: string): TransactionItem[] => [
  {
    Put: {
      TableName: tableName,
      Item: {
        ...{
          id: `${id}-put`,
          text: 'ä\u{1F600}\ud800',
          empty: '',
          absent: undefined,
          number: 1.5,
          exact: NumberValue.from('1e40'),
        },
        ...{ large: 2n ** 70n, yes: true, nothing: null, bytes: Uint8Array.of(0, 255), list: [1, ['x'], { a: null }] },
        ...{
          set: new Set(['a', 'b']),
          numbers: new Set([1, 2]),
          binary: new Set([Uint8Array.of(1)]),
          map: new Map([['k', 1]]),
        },
      },
      ConditionExpression: 'attribute_not_exists(id)',
    },
  },
  {
    Update: {
      TableName: tableName,
      Key: { id: `${id}-update` },
      UpdateExpression: 'SET #n = :n',
      ExpressionAttributeNames: { '#n': 'n' },
      ExpressionAttributeValues: { ':n': 1, ':unused': undefined },
    },
  },
  { Delete: { TableName: tableName, Key: { id: `${id}-delete` }, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } },
  {
    ConditionCheck: {
      TableName: tableName,
      Key: { id: `${id}-check` },
      ConditionExpression: 'attribute_not_exists(id)',
    },
  },
];

const VERBS: Readonly<Record<string, Verb>> = {
  insert: (store, id) => store.insert(running(id)),
  'insert, of one that is there': async (store, id) => {
    await store.insert(running(id));
    return store.insert({ ...running(id), owner: 'other' });
  },
  replace: async (store, id) => {
    await store.insert(running(id));
    return store.replace(completed(id, JSON.stringify('long '.repeat(1000))), running(id));
  },
  remove: async (store, id) => {
    await store.insert(running(id));
    return store.remove(id, { owner: 'me', status: 'IN_PROGRESS', leaseUntil: 1 });
  },
  read: async (store, id) => {
    await store.insert(running(id));
    return store.read(id);
  },
  transact: async (store, id) => {
    await store.insert(running(id));
    return store.transact?.(completed(id, '1'), running(id), items(id), '36 characters, as a client token has');
  },
};

function stores(maxAttempts = 1): readonly [sdk: Store, lite: Store] {
  const client = localClient({ endpoint: proxy.endpoint, maxAttempts });
  const connection = liteConnection(
    { endpoint: proxy.endpoint, ...LOCAL_ACCESS },
    { maxAttempts, delay: async () => undefined },
  );
  return [sdkStore({ tableName, client }), recordStore(resolveTableOptions({ tableName }), connection)];
}

const VERSION = ['x-amz-target', 'content-type'] as const;
const sent = ({ headers, body }: DynamoDBRequest) => [VERSION.map((name) => headers[name]), JSON.parse(body)];

describe('what is sent and what is understood, as by the SDK', () => {
  it.each(Object.entries(VERBS))('%s', async (name, verb) => {
    const seen: unknown[] = [];
    for (const store of stores()) {
      proxy.reset();
      const answered = await verb(store, `${name}`).catch((error: unknown) => error);
      const checkpoints = (answered as { checkpoints?: object } | undefined)?.checkpoints;
      seen.push([proxy.seen.map(sent), answered, checkpoints && Object.keys(checkpoints)]);
      await clean(store, name);
    }
    const [bySdk, byLite] = JSON.parse(JSON.stringify(seen));
    expect(byLite).toEqual(bySdk);
  });

  async function clean(store: Store, id: string) {
    proxy.decide = () => 'pass';
    const existing = await store.read(id);
    if (existing !== undefined) await store.remove(id, existing);
    const removal = (key: string): TransactionItem => ({
      Delete: { TableName: tableName, Key: { id: `${id}-${key}` } },
    });
    await store
      .transact?.(completed(`${id}-x`, '1'), { owner: 'no', status: 'RELEASED' }, [removal('put')], 'x')
      .catch(() => 0);
  }
});

const FAULTS: readonly Fault[] = [
  ...(['lose answer', 'throttle', 'conflict', 'fail', 'expire token', 'block', 'replica conflict'] as const),
  ...(['fail after applying', 'drop'] as const),
];

/** What the protocol reads of a failure. */
function judged(error: unknown) {
  const { name, code, retryable, unanswered, recordRefused } = (error ?? {}) as IdempotencyError;
  return { name, code, retryable, unanswered, recordRefused };
}

describe('what a failure means for the protocol, as by the SDK', () => {
  it.each(
    FAULTS.flatMap((first) => [
      [first, first] as const,
      ...(['expire token', 'block', 'pass'] as const).map((later) => [first, later] as const),
    ]),
  )(
    'first %s, then %s',
    async (first, later) => {
      for (const [name, verb] of Object.entries(VERBS)) {
        const seen: unknown[] = [];
        for (const [number, store] of stores(3).entries()) {
          const id = `${name} ${first} ${later} ${number}`;
          let tries = 0;
          proxy.decide = () => (tries++ === 0 ? first : later);
          const outcome = await verb(store, id).then(
            (answer) => ({ answer: JSON.stringify(answer)?.replaceAll(id, 'id') }),
            (error) => judged(error),
          );
          seen.push({ outcome, tries });
        }
        expect([name, seen[1]]).toEqual([name, seen[0]]);
      }
    },
    60_000,
  );
});

describe('items that are wrong', () => {
  it.each<[string, TransactionItem[]]>([
    ['a value that cannot be stored', [{ Put: { TableName: 't', Item: { id: [undefined] } } }]],
    ['a set that is empty', [{ Put: { TableName: 't', Item: { id: new Set() } } }]],
    ['a table that does not exist', [{ Put: { TableName: 'no-such-table', Item: { id: 'x' } } }]],
    ['no table', [{ Put: { TableName: undefined, Item: { id: 'x' } } }]],
    ['an expression that is none', [{ Update: { TableName: 't', Key: { id: 'x' }, UpdateExpression: 'NONSENSE' } }]],
    [
      'a condition that fails',
      [{ ConditionCheck: { TableName: '', Key: { id: 'x' }, ConditionExpression: 'attribute_exists(id)' } }],
    ],
  ])("are the caller's own error, as by the SDK: %s", async (name, wrong) => {
    const seen: unknown[] = [];
    for (const [number, store] of stores().entries()) {
      const id = `${name} ${number}`;
      await store.insert(running(id));
      const own = wrong.map((item) => ({
        ...item,
        ...(item.ConditionCheck && { ConditionCheck: { ...item.ConditionCheck, TableName: tableName } }),
      }));
      const outcome = await store
        .transact?.(completed(id, '1'), running(id), own, `token ${number} ${name}`.slice(0, 36))
        .then(
          (answer) => ('itemsError' in answer ? { itemsError: (answer.itemsError as Error).name } : answer),
          judged,
        );
      seen.push(outcome);
    }
    expect(seen[1]).toEqual(seen[0]);
  });
});

describe('nothing of a request', () => {
  it('stands in the error of a store that does not answer', async () => {
    proxy.decide = () => 'drop';
    const [, lite] = stores(2);
    const error = (await thrownBy(lite.insert({ ...running('secret id'), fingerprint: 'secret' }))) as Error;
    expect(`${error.stack} ${(error.cause as Error).stack} ${JSON.stringify(error)}`).not.toContain('secret');
  });
});
