import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { dynamoDBPayments } from '../../payments/dynamodb-payments.ts';
import { requireEnvironment } from '../../payments/environment.ts';
import { killedPayments } from './payments.ts';

const client = new DynamoDBClient();

export const handler = killedPayments({
  store: dynamoDBStore({ tableName: requireEnvironment('IDEMPOTENCY_TABLE_NAME'), client }),
  payments: dynamoDBPayments({ tableName: requireEnvironment('PAYMENTS_TABLE_NAME'), client }),
});
