import { DeleteCommand, DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { IdempotencyEventType } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { createPaymentsHandler, type PaymentsScope } from '../../infra/payments/api.ts';
import { dynamoDBPayments } from '../../infra/payments/dynamodb-payments.ts';
import { fakeProcessor } from '../../infra/payments/fake-processor.ts';
import type { Payments } from '../../infra/payments/payments.ts';
import type { Processor } from '../../infra/payments/processor.ts';
import { useTable } from '../support/table.ts';
import { client } from './requests.ts';

export interface PaymentsApiOptions {
  /** Runs in front of every call of the processor. */
  readonly before?: (call: keyof Processor) => Promise<void>;
  /** In place of what the payments table does. */
  readonly payments?: Partial<Payments>;
  /** @default 'anonymous' */
  readonly scope?: PaymentsScope;
}

/** Answers nobody before `count` callers have read: then all of them decide by what they read before anybody wrote. */
export function readTogether(find: Payments['find'], count: number): Payments['find'] {
  const gate = Promise.withResolvers<void>();
  let readers = 0;
  return async (id) => {
    const payment = await find(id);
    readers += 1;
    if (readers >= count) gate.resolve();
    await gate.promise;
    return payment;
  };
}

/** For a test file: makes payments APIs on two tables of DynamoDB Local, each with a processor that counts. */
export function usePaymentsApi() {
  const idempotencyTable = useTable();
  const paymentsTable = useTable();

  return ({ before = async () => undefined, payments: overrides, scope = 'anonymous' }: PaymentsApiOptions = {}) => {
    let real = fakeProcessor();
    const keys = { charge: [] as string[], refund: [] as string[], release: [] as string[] };
    const events: IdempotencyEventType[] = [];
    const processor: Processor = {
      async charge(request, key, signal) {
        keys.charge.push(key);
        await before('charge');
        return real.charge(request, key, signal);
      },
      async refund(chargeId, amount, key, signal) {
        keys.refund.push(key);
        await before('refund');
        return real.refund(chargeId, amount, key, signal);
      },
      async release(chargeId, key, signal) {
        keys.release.push(key);
        await before('release');
        return real.release(chargeId, key, signal);
      },
    };
    const payments = dynamoDBPayments(paymentsTable);
    const recordIds: string[] = [];
    const handler = createPaymentsHandler({
      store: dynamoDBStore(idempotencyTable),
      payments: { ...payments, ...overrides },
      processor,
      scope,
      onEvent: ({ type, id }) => {
        events.push(type);
        recordIds.push(id);
      },
    });

    /** Makes the last record look as if its process had died before it could store the outcome, long ago. */
    async function forgetOutcome(): Promise<void> {
      await DynamoDBDocumentClient.from(idempotencyTable.client).send(
        new UpdateCommand({
          TableName: idempotencyTable.tableName,
          Key: { id: recordIds.at(-1) },
          UpdateExpression: 'SET #status = :inProgress, leaseUntil = :over REMOVE outcome, encoding',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ':inProgress': 'IN_PROGRESS', ':over': 1 },
        }),
      );
    }

    /** The last record is past its retention, and gone. */
    async function expireRecord(): Promise<void> {
      await DynamoDBDocumentClient.from(idempotencyTable.client).send(
        new DeleteCommand({ TableName: idempotencyTable.tableName, Key: { id: recordIds.at(-1) } }),
      );
    }

    /** The processor no longer knows any key. */
    function forgetKeys(): void {
      real = fakeProcessor();
    }
    return {
      send: client(handler),
      chargeKeys: keys.charge,
      keys,
      events,
      payments,
      forgetOutcome,
      expireRecord,
      forgetKeys,
      table: paymentsTable,
    };
  };
}
