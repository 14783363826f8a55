import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DynamoDBAnswer } from '../support/proxy.ts';
import { CALL_HEADER } from './asked.ts';
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
  const send = (call: string, body: string, answer: DynamoDBAnswer | Error, isAwaited = true) =>
    witness.deliver({
      request: { operation: 'PutItem', headers: by(call), body },
      send: async () => {
        if (answer instanceof Error) throw answer;
        return answer;
      },
      isAwaited: () => isAwaited,
    });
  beforeEach(() => {
    const client = { send: async () => ({ Item: inTable }) } as unknown as DynamoDBClient;
    witness = createWitness(() => client, 'table', time);
  });

  it('tells what a write has changed, and whether anybody waited for it', async () => {
    await send('run-1/a', insert(item('run-1/a', 'IN_PROGRESS', { leaseUntil: { N: '5' } })), done);
    await send('run-1/a', REMOVE, done, false);
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
});
