import { SQSClient } from '@aws-sdk/client-sqs';
import { requireEnvironment } from '../payments/environment.ts';
import { createPublisher } from './publisher.ts';

/** The Lambda function behind the stream of the payments table. Needs `LEDGER_QUEUE_URL` in its environment. */
export const handler = createPublisher({
  client: new SQSClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true },
  }),
  queueUrl: requireEnvironment('LEDGER_QUEUE_URL'),
});
