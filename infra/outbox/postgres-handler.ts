import { SQSClient } from '@aws-sdk/client-sqs';
import { requireEnvironment } from '../payments/environment.ts';
import { postgresPool } from '../postgres/pool.ts';
import { createPostgresPublisher } from './postgres-publisher.ts';

/** The Lambda function that a schedule starts. Needs `DATABASE_URL` and `LEDGER_QUEUE_URL` in its environment. */
export const handler = createPostgresPublisher({
  pool: postgresPool(requireEnvironment('DATABASE_URL'), { max: 1 }),
  client: new SQSClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true },
  }),
  queueUrl: requireEnvironment('LEDGER_QUEUE_URL'),
});
