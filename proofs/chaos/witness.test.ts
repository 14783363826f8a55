import { zstdCompressSync } from 'node:zlib';
import type { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DynamoDBAnswer } from '../../test/support/proxy.ts';
import { CALL_HEADER } from './asked.ts';
import { EFFECTS_TABLE } from './effects.ts';
import type { Attributes } from './seen.ts';
import { createWitness, type Witness } from './witness.ts';

const NOW = 1_000_000;
const time = { epochMillis: 0, now: () => NOW };

function item(call: string, status: string, more: Attributes = {}): Attributes {
  return {
    id: { S: 'record' },
    owner: { S: call },
    status: { S: status },
    attempt: { N: '1' },
    expiration: { N: '9000' },
    ...more,
  };
}

const insert = (it: Attributes) => JSON.stringify({ Item: it, ConditionExpression: 'attribute_not_exists(#id)' });
const by = (call: string) => ({ [CALL_HEADER]: call });
const replace = (it: Attributes) => JSON.stringify({ Item: it, ConditionExpression: '#owner = :owner' });
const REMOVE = JSON.stringify({ Key: { id: { S: 'record' } } });
const done: DynamoDBAnswer = { status: 200, headers: {}, body: '{}' };
const found = (Item?: Attributes): DynamoDBAnswer => ({
  status: 400,
  headers: {},
  body: JSON.stringify({ __type: 'x#ConditionalCheckFailedException', ...(Item && { Item }) }),
});

describe('the witness of the table', () => {
  let inTable: Attributes | undefined;
  let witness: Witness;
  let times: string;
  const send = (
    call: string,
    body: string,
    answer: DynamoDBAnswer | Error,
    { isAwaited = true, operation = 'PutItem' } = {},
  ) =>
    witness.deliver({
      request: { operation, headers: by(call), body },
      send: async () => {
        if (answer instanceof Error) throw answer;
        return answer;
      },
      isAwaited: () => isAwaited,
    });
  beforeEach(() => {
    times = '0';
    const client = {
      send: async ({ input }: GetItemCommand) => ({
        Item: input.TableName === EFFECTS_TABLE ? { times: { N: times } } : inTable,
      }),
    } as unknown as DynamoDBClient;
    witness = createWitness(() => client, 'table', time);
  });

  it('tells what a write has changed, and whether anybody waited for it', async () => {
    await send('run-1/a', insert(item('run-1/a', 'IN_PROGRESS', { leaseUntil: { N: '5' } })), done);
    await send('run-1/a', REMOVE, done, { isAwaited: false });
    const before = { status: 'IN_PROGRESS', by: 'run-1/a', attempt: 1, leaseUntil: 5, expiresAt: 9_000_000 };
    expect(witness.events).toMatchObject([
      { type: 'wrote', call: 'run-1/a', key: 'run-1', before: undefined, after: before, stray: false },
      { type: 'wrote', call: 'run-1/a', key: 'run-1', before, after: undefined, stray: true },
    ]);
  });

  it('reads the outcome of a response and of an error', async () => {
    await send(
      'run-1/a',
      insert(item('run-1/a', 'COMPLETED', { encoding: { S: 'json' }, outcome: { S: '{"a":1}' } })),
      done,
    );
    const error = { encoding: { S: 'error+json' }, outcome: { S: '{"error":{"message":"declined"}}' } };
    await send('run-1/a', replace(item('run-1/a', 'COMPLETED', error)), done);
    expect(witness.events).toMatchObject([{ after: { text: '{"a":1}' } }, { after: { text: 'declined' } }]);
  });

  it('sends one request of a record at a time', async () => {
    const order: string[] = [];
    const slow = witness.deliver({
      request: { operation: 'PutItem', headers: by('run-1/a'), body: insert(item('run-1/a', 'IN_PROGRESS')) },
      send: async () => {
        await new Promise(setImmediate);
        order.push('first');
        return done;
      },
      isAwaited: () => true,
    });
    const second = witness.deliver({
      request: { operation: 'PutItem', headers: by('run-1/b'), body: insert(item('run-1/b', 'IN_PROGRESS')) },
      send: async () => {
        order.push('second');
        return found(item('run-1/a', 'IN_PROGRESS'));
      },
      isAwaited: () => true,
    });
    await Promise.all([slow, second]);
    expect(order).toEqual(['first', 'second']);
    expect(witness.violations).toEqual([]);
  });

  it('finds out after the database has died whether a write took effect', async () => {
    const claim = item('run-1/a', 'IN_PROGRESS');
    await expect(send('run-1/a', insert(claim), new Error('reset'))).rejects.toThrow('reset');
    inTable = claim;
    await send('run-1/b', insert(item('run-1/b', 'IN_PROGRESS')), found(claim));
    expect(witness.events).toMatchObject([
      { type: 'wrote', call: 'run-1/a', stray: true },
      { type: 'conflicted', call: 'run-1/b', found: { by: 'run-1/a' } },
    ]);

    await expect(send('run-1/a', replace(item('run-1/a', 'COMPLETED')), new Error('reset'))).rejects.toThrow('reset');
    await send('run-1/c', insert(item('run-1/c', 'IN_PROGRESS')), found(claim));
    expect(witness.events).toHaveLength(3);
    expect(witness.violations).toEqual([]);
  });

  it('has nothing against TTL, which removes what has expired', async () => {
    await send('run-1/a', insert(item('run-1/a', 'COMPLETED', { expiration: { N: '1000' } })), done);
    await send('run-1/b', insert(item('run-1/b', 'IN_PROGRESS')), done);
    expect(witness.events.map(({ type }) => type)).toEqual(['wrote', 'deleted', 'wrote']);
    expect(witness.violations).toEqual([]);
  });

  it('reports a record that was lost, or changed by nobody', async () => {
    await send('run-1/a', insert(item('run-1/a', 'COMPLETED')), done);
    await send('run-1/b', insert(item('run-1/b', 'IN_PROGRESS')), done);
    await send('run-1/c', insert(item('run-1/c', 'IN_PROGRESS')), found(item('run-1/x', 'COMPLETED')));
    expect(witness.violations.map(({ promise }) => promise)).toEqual(['table', 'table']);
  });

  describe('of transactions', () => {
    const claim = item('run-1/a', 'IN_PROGRESS');
    const outcome = item('run-1/a', 'COMPLETED', { encoding: { S: 'json' }, outcome: { S: '1' } });
    const transaction = JSON.stringify({
      ClientRequestToken: 'run-1/a',
      TransactItems: [{ Update: { Key: { id: { S: 'run-1' } } } }, { Put: { Item: outcome } }],
    });
    const transact = (answer: DynamoDBAnswer | Error) =>
      send('run-1/a', transaction, answer, { operation: 'TransactWriteItems' });
    const canceled = (...CancellationReasons: object[]): DynamoDBAnswer => ({
      status: 400,
      headers: {},
      body: JSON.stringify({ __type: 'x#TransactionCanceledException', CancellationReasons }),
    });
    beforeEach(() => send('run-1/a', insert(claim), done));

    it('tells the effect and the outcome, once for each token', async () => {
      await transact(done);
      await transact(done);
      expect(witness.events).toMatchObject([
        { type: 'wrote', after: { status: 'IN_PROGRESS' } },
        { type: 'wrote', call: 'run-1/a', after: { status: 'COMPLETED', text: '1' } },
        { type: 'effect', call: 'run-1/a', key: 'run-1' },
      ]);
      times = '1';
      await witness.checkEffects();
      expect(witness.violations).toEqual([]);
      times = '2';
      await witness.checkEffects();
      expect(witness.violations).toMatchObject([{ promise: 'table', message: /happened 2 times/ }]);
    });

    it('tells a conflict of the record, and nothing of one of the items', async () => {
      await transact(canceled({ Code: 'ConditionalCheckFailed' }, { Code: 'None' }));
      await transact(canceled({ Code: 'None' }, { Code: 'ConditionalCheckFailed', Item: claim }));
      expect(witness.events.slice(1)).toMatchObject([{ type: 'conflicted', found: { status: 'IN_PROGRESS' } }]);
    });

    it('finds out after the database has died what took effect, each for itself', async () => {
      await expect(transact(new Error('reset'))).rejects.toThrow('reset');
      inTable = claim;
      times = '1';
      await send('run-1/b', insert(item('run-1/b', 'IN_PROGRESS')), found(claim));
      expect(witness.events.map(({ type }) => type)).toEqual(['wrote', 'effect', 'conflicted']);
    });
  });

  it('tells what a read has found, and the results of steps', async () => {
    const stepped = item('run-1/a', 'IN_PROGRESS', { checkpoints: { M: { pay: { S: '{"result":"paid"}' } } } });
    await send('run-1/a', insert(stepped), done);
    const answer = { status: 200, headers: {}, body: JSON.stringify({ Item: stepped }) };
    await send('run-1/b', REMOVE, answer, { operation: 'GetItem' });
    expect(witness.events[1]).toMatchObject({
      type: 'looked',
      call: 'run-1/b',
      found: { checkpoints: { pay: 'paid' } },
    });
  });

  it('reads an outcome in parts, and says when one is missing', async () => {
    const bytes = zstdCompressSync('"much"');
    const half = Math.ceil(bytes.length / 2);
    const part = (n: number, value: Uint8Array) =>
      JSON.stringify({
        Item: { id: { S: `record#x#digest#${n}` }, outcome: { B: Buffer.from(value).toString('base64') } },
      });
    const large = item('run-1/a', 'COMPLETED', {
      id: { S: 'record#x' },
      encoding: { S: 'json+zstd' },
      digest: { S: 'digest' },
      parts: { N: '2' },
    });
    await send('run-1/a', part(1, bytes.subarray(0, half)), done);
    await send('run-1/a', insert(large), done);
    await send('run-1/a', part(2, bytes.subarray(half)), done);
    await send('run-1/b', insert(item('run-1/b', 'IN_PROGRESS', { id: { S: 'record#x' } })), found(large));
    expect(witness.events).toMatchObject([
      { type: 'wrote', after: { whole: false } },
      { type: 'conflicted', found: { whole: true, text: '"much"' } },
    ]);
  });
});
