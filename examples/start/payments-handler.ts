import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { payments } from './payments.ts';

export const handler = payments(dynamoDBStore({ tableName: process.env['IDEMPOTENCY_TABLE_NAME'] }));
