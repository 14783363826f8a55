import { type IdempotencyHandle, idempotent } from 'middy-idempotency';
import { dynamoDBStore, type TransactionItem } from 'middy-idempotency/dynamodb/lite';

// Compiled where the AWS SDK is not installed, and without `skipLibCheck`.
const store = dynamoDBStore({ tableName: 'records', region: 'eu-central-1' });
const put: TransactionItem = { Put: { TableName: 'orders', Item: { id: '1', tags: new Set(['new']), total: 10n } } };

export const place = idempotent(
  async (order: { id: string }, handle: IdempotencyHandle<TransactionItem>) => {
    await handle.transact([put], order);
    return order;
  },
  { store, operation: 'place', key: (order) => order.id, passHandle: true },
);
