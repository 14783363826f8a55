import { randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IdempotencyError } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { describe, expect, it } from 'vitest';
import { createGuard } from '../../src/core/claim/claim.ts';
import { resolveProtocolOptions } from '../../src/core/options.ts';
import { jsonFormat } from '../../src/core/record/outcome.ts';
import { TestClock } from '../support/harness.ts';
import { localClient, useTable } from '../support/table.ts';
import { describeStore } from './conformance.ts';

const { tableName } = useTable();

/** An endpoint whose answer to a failed condition has no item, as emulators and caches in front of DynamoDB answer. */
function withoutItems(): { readonly client: DynamoDBClient; readonly sent: string[] } {
  const client = localClient();
  const sent: string[] = [];
  client.middlewareStack.add(
    (next, context) => async (args) => {
      sent.push(String(context['commandName']).replace('Command', ''));
      try {
        return await next(args);
      } catch (error) {
        const { CancellationReasons = [] } = error as { CancellationReasons?: object[] };
        for (const answer of [error, ...CancellationReasons]) Reflect.deleteProperty(answer as object, 'Item');
        throw error;
      }
    },
    { step: 'initialize' },
  );
  return { client, sent };
}

describeStore('DynamoDB, an endpoint that sends no item with a failed condition', () =>
  dynamoDBStore({ tableName, client: withoutItems().client }),
);

describe('an endpoint that sends no item with a failed condition', () => {
  const claim = (store: ReturnType<typeof dynamoDBStore>, key: string) =>
    createGuard(
      resolveProtocolOptions({ store }),
      new TestClock(),
    )({
      identity: { id: `op#${key}`, operation: 'op', fingerprint: 'same', deriveKey: (name) => name },
      remaining: undefined,
      format: jsonFormat,
    });

  it('replays a completed request after one put and one read', async () => {
    const key = randomUUID();
    const { client, sent } = withoutItems();
    const store = dynamoDBStore({ tableName, client });
    const first = await claim(store, key);
    if (first.kind !== 'execute') throw new Error(first.kind);
    await first.execution.store(jsonFormat.encode({ kind: 'returned', value: 'paid' }));
    sent.length = 0;
    expect(await claim(store, key)).toEqual({ kind: 'replay', outcome: { kind: 'returned', value: 'paid' } });
    expect(sent).toEqual(['PutItem', 'GetItem']);
  });

  it('does not count a read without an answer as a request without an answer: a record was in the way', async () => {
    const key = randomUUID();
    const { client } = withoutItems();
    const store = dynamoDBStore({ tableName, client });
    await claim(store, key);
    client.middlewareStack.add(
      (next, context) => async (args) => {
        if (context['commandName'] === 'GetItemCommand') throw new Error('socket hang up');
        return next(args);
      },
      { step: 'initialize' },
    );
    const failed = await claim(store, key).then(undefined, (error: unknown) => error);
    expect(failed).toBeInstanceOf(IdempotencyError);
    expect(failed).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    expect(failed).not.toHaveProperty('unanswered', true);
  });
});
